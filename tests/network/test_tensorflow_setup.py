"""TensorFlow starts in silence, before a plan only where there may be a GPU."""

import os
import subprocess
import sys

import pytest
from conftest import PROJECT

from nst.network import tensorflow_setup
from nst.network.tensorflow_setup import start_if_gpu, start_tensorflow


def test_tensorflow_starts_in_silence_with_onednn(monkeypatch, capfd):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    start_tensorflow(threads=0, verbose=False)
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("driver", [None, object()])
def test_a_plan_starts_tensorflow_only_where_there_is_a_driver_of_gpus(monkeypatch, driver):
    started = []
    monkeypatch.setattr(tensorflow_setup, "gpu_driver", lambda: driver)
    monkeypatch.setattr(tensorflow_setup, "start_tensorflow", lambda **options: started.append(options))
    start_if_gpu(threads=2, verbose=True)
    assert started == ([{"threads": 2, "verbose": True}] if driver else [])


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
    assert plain[1] == "Adam True"


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_a_program_that_has_set_up_its_gpu_is_left_alone(monkeypatch, error):
    import tensorflow as tf

    def refuse(gpu, growth):
        raise error("set already")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    start_tensorflow(threads=0, verbose=False)
