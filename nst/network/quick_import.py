"""A quick import of TensorFlow: parts of its interface, such as tf.data, are imported when they are first used."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

INTERFACE = "tensorflow._api.v2"  # The package of the parts.
# The parts that are imported at once. The package tensorflow.lite would take the name of the part tf.lite, and likewise
# for tf.distribute; TensorFlow needs the place of the file of tf.bitwise.
AT_ONCE = {"lite", "distribute", "bitwise"}
MOST_FROZEN = 10_000  # The number of objects that Python itself may have taken out of the search for garbage.


@contextmanager
def quick_import() -> Iterator[None]:
    """Let an import of TensorFlow leave Keras and most parts of the interface for later.

    Garbage collection is off meanwhile; it would find nothing. Nothing is done where TensorFlow or Keras is imported
    already.
    """
    if {"keras", "tensorflow"} & set(sys.modules):
        yield
        return
    later = _Later()
    sys.meta_path.insert(0, later)
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(later)
        _import_when_used(later.parts)
        if gc.get_freeze_count() < MOST_FROZEN:
            gc.freeze()
            gc.unfreeze()  # Now all objects are old, and seldom searched for garbage.
        if collects:
            gc.enable()


class _Later(MetaPathFinder, Loader):
    """Finds an empty module in place of each part, and a Keras that cannot be imported.

    parts  the names of the parts that were found so
    """

    def __init__(self) -> None:
        self.parts: set[str] = set()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how a part or Keras is to be loaded, and None for other modules."""
        package, _, part = name.rpartition(".")
        if name == "keras" and (spec := PathFinder.find_spec(name, path)):
            spec.loader = self  # TensorFlow notes where Keras is.
            return spec
        if package == INTERFACE and part not in AT_ONCE:
            return ModuleSpec(name, self, is_package=True)
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Leave a part empty. Raises ModuleNotFoundError for Keras."""
        if module.__name__ == "keras":
            raise ModuleNotFoundError("No module named 'keras' yet", name="keras")
        self.parts.add(module.__name__.rpartition(".")[2])


def _import_when_used(parts: set[str]) -> None:
    """Replace the empty parts by imports that happen when the parts are first used."""
    for part in parts:
        sys.modules.pop(f"{INTERFACE}.{part}", None)
    tensorflow, interface = sys.modules.get("tensorflow"), sys.modules.get(INTERFACE)
    if not (tensorflow and interface):  # The import has failed.
        return
    for part in parts:
        vars(tensorflow).pop(part, None)
        vars(interface).pop(part, None)

    def imported(name: str) -> Any:
        if name not in parts:
            raise AttributeError(f"module 'tensorflow' has no attribute {name!r}")
        part = import_module(f"{INTERFACE}.{name}")
        setattr(tensorflow, name, part)
        return part

    vars(tensorflow)["__getattr__"] = imported
    vars(tensorflow)["__dir__"] = lambda: sorted({*vars(tensorflow), *parts})
