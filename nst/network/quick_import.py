"""TensorFlow's import, in half its time: what is not used yet comes when it is used."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

INTERFACE = "tensorflow._api.v2"  # The package of the parts of TensorFlow's interface, such as tf.data.


@contextmanager
def quick_import() -> Iterator[None]:
    """Let an import of TensorFlow leave Keras and the parts of the interface to be imported when they are used.

    There is no search for garbage, which finds none. Nothing is done where TensorFlow or Keras is imported already.
    """
    if {"keras", "tensorflow"} & set(sys.modules):
        yield
        return
    sys.modules["keras"] = None  # type: ignore[assignment]
    sys.meta_path.insert(0, _LaterParts)
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        _name_parts()
    finally:
        sys.meta_path.remove(_LaterParts)
        del sys.modules["keras"]
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()  # Now all objects are old, and searched through but seldom.
        if collects:
            gc.enable()


class _LaterParts(MetaPathFinder):
    """A finder of the parts of the interface. Each is executed when an attribute of it is first asked for."""

    @classmethod
    def find_spec(cls, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how a part is to be loaded, and None for other modules."""
        spec = PathFinder.find_spec(name, path) if name.rpartition(".")[0] == INTERFACE else None
        if spec and spec.loader:
            spec.loader = LazyLoader(_PartLoader(spec.loader))
        return spec


class _PartLoader(Loader):
    """A loader of a part."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def exec_module(self, module: ModuleType) -> None:
        """Execute the part."""
        self.loader.exec_module(module)
        _name_parts()


def _name_parts() -> None:
    """Give the parts their names in TensorFlow: a package, such as tensorflow.lite, takes one when it is imported."""
    for name, module in list(sys.modules.items()):
        package, _, part = name.rpartition(".")
        if package == INTERFACE:
            setattr(sys.modules["tensorflow"], part, module)
