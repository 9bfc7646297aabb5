"""TensorFlow starts in silence, before a plan only where there may be a GPU."""

import os

import pytest

from nst.network import tensorflow_setup
from nst.network.device import Device
from nst.network.tensorflow_setup import graphs_as_written, start_if_gpu, start_tensorflow


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


@pytest.mark.parametrize("is_gpu", [False, True])
def test_graphs_run_as_written_on_a_processor_and_afterwards_as_before(monkeypatch, is_gpu):
    import tensorflow as tf

    monkeypatch.setattr(tensorflow_setup, "device", lambda: Device("a device", "float32", is_gpu=is_gpu))
    options = tf.config.optimizer.get_experimental_options
    for before in (True, False):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})
        with pytest.raises(ValueError), graphs_as_written():
            assert options()["disable_meta_optimizer"] == (before or not is_gpu)
            raise ValueError
        assert options()["disable_meta_optimizer"] == before


@pytest.mark.parametrize("error", [RuntimeError, ValueError])
def test_a_program_that_has_set_up_its_gpu_is_left_alone(monkeypatch, error):
    import tensorflow as tf

    def refuse(gpu, growth):
        raise error("set already")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    start_tensorflow(threads=0, verbose=False)
