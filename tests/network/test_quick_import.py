"""TensorFlow starts with few of its parts, and has all of them when they are used."""

import importlib
import subprocess
import sys

import pytest
from conftest import PROJECT

from nst.network.quick_import import quick_import


def lines_of(program, *words):
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_all_parts_are_as_after_a_plain_import():
    program = """
import sys, types
if sys.argv[1] == "quick":
    from nst.network.tensorflow_setup import start_tensorflow
    start_tensorflow(threads=0, verbose=False)
    print(sorted({"keras", "matplotlib", "scipy.stats", "tensorflow.python.keras.models"} & set(sys.modules)))
import tensorflow as tf
names = [name for name in sorted(dir(tf)) if not name.startswith("_")]
parts = [name for name in names if isinstance(getattr(tf, name), types.ModuleType)]
for _ in range(2):  # The second time all are loaded.
    print(names, [(name, sorted(word for word in dir(getattr(tf, name)) if word[0] != "_")) for name in parts])
print(hasattr(tf, "no_such_part"))
from tensorflow.keras.layers import Dense
print(tf.keras.optimizers.Adam.__name__, Dense.__name__, tf.keras.layers.Dense is Dense)
"""
    loaded, *quick = lines_of(program, "quick")
    plain = lines_of(program, "plain")
    assert loaded == "[]"
    assert quick == plain
    assert plain[2:] == ["False", "Adam Dense True"]


@pytest.mark.slow
def test_threads_find_whole_parts_and_an_interrupted_load_is_tried_again():
    program = """
import threading
from nst.network.tensorflow_setup import start_tensorflow
start_tensorflow(threads=1, verbose=False)
import tensorflow as tf
found = []
def use():
    found.append([tf.raw_ops.Conv2D, tf.linalg.qr, tf.image.resize, tf.nn.relu])
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found))
import tensorflow.python.ops.signal.fft_ops
from importlib import abc
import sys
class Interrupting(abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith("tensorflow._api.v2.signal"):
            raise KeyboardInterrupt
sys.meta_path.insert(0, interrupting := Interrupting())
try:
    tf.signal.stft
except KeyboardInterrupt:
    print("interrupted")
sys.meta_path.remove(interrupting)
print(tf.signal.stft.__name__)
"""
    assert lines_of(program) == ["4", "interrupted", "stft"]


def test_an_import_that_fails_leaves_nothing_behind(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "keras")]:
        monkeypatch.delitem(sys.modules, name)
    finders = list(sys.meta_path)
    with pytest.raises(ModuleNotFoundError, match="keras"), quick_import():
        assert len(sys.meta_path) == len(finders) + 1
        importlib.invalidate_caches()
        importlib.import_module("keras")
    assert sys.meta_path == finders
    assert "keras" not in sys.modules
