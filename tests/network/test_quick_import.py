"""TensorFlow starts with few of its parts, and has all of them when they are asked for."""

import subprocess
import sys

import pytest
from conftest import PROJECT


@pytest.mark.slow
def test_tensorflow_starts_with_few_parts_and_has_all_of_them_when_asked():
    program = """
import sys, types
hurry = sys.argv[1] == "hurry"
if hurry:
    from nst.network.tensorflow_setup import start_tensorflow
    start_tensorflow(threads=0, verbose=False)
    print(sorted({"keras", "matplotlib", "scipy.stats", "tensorflow.python.keras.models"} & set(sys.modules)))
import tensorflow as tf
names = [name for name in sorted(dir(tf)) if not name.startswith("_")]
parts = [name for name in names if isinstance(getattr(tf, name), types.ModuleType)]
for _ in range(2):  # The second time all are loaded.
    print(names, [(name, sorted(word for word in dir(getattr(tf, name)) if word[0] != "_")) for name in parts])
print(tf.keras.optimizers.Adam.__name__, "keras" in sys.modules)
"""
    (loaded, *hurried), plain = (
        subprocess.run(
            [sys.executable, "-c", program, how], capture_output=True, text=True, check=True, cwd=PROJECT
        ).stdout.splitlines()
        for how in ("hurry", "plain")
    )
    assert loaded == "[]"
    assert hurried == plain
    assert plain[2] == "Adam True"
