"""The device that computes is a GPU where TensorFlow can use one, and its fast type is one that it computes in."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from nst.errors import RunError
from nst.network import device as module
from nst.network.device import PROCESSOR, Device, device, free_gpu_mb, network_precision, processor_flags


@pytest.fixture(autouse=True)
def anew():
    """Each test looks for the device anew."""
    device.cache_clear()
    yield
    device.cache_clear()


def with_gpus(monkeypatch, *details):
    """Let TensorFlow say that it can use such GPUs."""
    monkeypatch.setattr(module, "gpu_driver", object)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(range(len(details))))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details[gpu])


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_type_that_is_asked_for_is_taken(wanted):
    assert network_precision(wanted) == wanted


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"fpu", "avx512_bf16"}, "bfloat16"), ({"amx_bf16"}, "bfloat16"), ({"avx2"}, "float32"), (set(), "float32")],
)
def test_auto_is_bfloat16_where_the_processor_computes_in_it(monkeypatch, flags, expected):
    monkeypatch.setattr(module, "gpu_driver", lambda: None)
    monkeypatch.setattr(module, "processor_flags", lambda: flags)
    assert network_precision("auto") == expected
    assert device() == Device(PROCESSOR, expected)


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), "bfloat16"), ((8, 0), "bfloat16"), ((7, 5), "float16"), ((7, 0), "float16"), ((6, 1), "float32")],
)
def test_auto_is_the_fast_type_of_the_gpu(monkeypatch, capability, expected):
    with_gpus(monkeypatch, {"device_name": "NVIDIA X", "compute_capability": capability}, {"device_name": "NVIDIA Y"})
    assert device() == Device("GPU NVIDIA X", expected, is_gpu=True)
    assert network_precision("auto") == expected


def test_a_driver_without_a_gpu_that_tensorflow_can_use_leaves_the_processor(monkeypatch):
    with_gpus(monkeypatch)
    assert (device().name, device().is_gpu) == (PROCESSOR, False)


def test_a_gpu_that_tells_nothing_computes_in_float32(monkeypatch):
    with_gpus(monkeypatch, {})
    assert device() == Device("GPU", "float32", is_gpu=True)


def fake_driver(free=3_000_000_000, **results):
    """A driver of which each function succeeds, but for those whose results are given."""

    def memory(found, total):
        found._obj.value = free
        return results.get("cuMemGetInfo_v2", 0)

    names = ("cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain", "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2")
    return SimpleNamespace(
        cuMemGetInfo_v2=memory, **{name: lambda *_, name=name: results.get(name, 0) for name in names}
    )


def test_the_free_memory_of_the_gpu_is_what_the_driver_says(monkeypatch):
    monkeypatch.setattr(module, "gpu_driver", fake_driver)
    assert free_gpu_mb() == 3000
    for name in ("cuInit", "cuDeviceGet", "cuDevicePrimaryCtxRetain", "cuMemGetInfo_v2"):
        monkeypatch.setattr(module, "gpu_driver", lambda name=name: fake_driver(**{name: 100}))
        with pytest.raises(RunError, match="does not tell its memory: CUDA's errors"):
            free_gpu_mb()


def test_processor_flags_are_words():
    assert all(flag.strip() == flag != "" for flag in processor_flags())
