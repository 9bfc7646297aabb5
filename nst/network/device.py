"""The device that computes: the processor, or a GPU that TensorFlow can use, with its fast type and its memory."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nst.errors import RunError

PROCESSOR = "processor"
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}  # The features of processors that compute in bfloat16.
# The least compute capability of a GPU that computes in a type, fastest type first.
GPU_PRECISIONS = (((8, 0), "bfloat16"), ((7, 0), "float16"), ((0, 0), "float32"))
DRIVER = "libcuda.so.1"  # The library of NVIDIA's driver. TensorFlow uses GPUs on Linux alone.


class Device(NamedTuple):
    """What computes.

    name       such as 'processor' or 'GPU NVIDIA H100'
    precision  the fastest type of convolutions
    is_gpu     whether the device has a memory of its own
    """

    name: str
    precision: str
    is_gpu: bool = False


@cache
def device() -> Device:
    """Return the device that computes. Where there is a driver of GPUs, TensorFlow must have started."""
    gpu = _usable_gpu() if gpu_driver() else None
    return gpu or Device(PROCESSOR, "bfloat16" if processor_flags() & BFLOAT16_FLAGS else "float32")


@cache
def gpu_driver() -> ctypes.CDLL | None:
    """Return the library of NVIDIA's driver, or None where there is none. It alone does not make a GPU usable."""
    try:
        return ctypes.CDLL(DRIVER)
    except OSError:
        return None


def _usable_gpu() -> Device | None:
    """Return the GPU that TensorFlow computes on, or None."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    capability = details.get("compute_capability", (0, 0))
    precision = next(precision for least, precision in GPU_PRECISIONS if capability >= least)
    return Device(f"GPU {details.get('device_name', '')}".strip(), precision, is_gpu=True)


def network_precision(wanted: str) -> str:
    """Return the wanted type of the convolutions, or for 'auto' the fastest type of the device."""
    return device().precision if wanted == "auto" else wanted


def free_gpu_mb() -> int:
    """Return the megabytes that are free on the GPU, from the driver. Raises RunError if the driver does not tell."""
    driver, free, total = gpu_driver(), ctypes.c_size_t(), ctypes.c_size_t()
    number, context = ctypes.c_int(), ctypes.c_void_p()
    assert driver
    codes = [
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(number), 0),
        driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), number),  # TensorFlow's own context.
        driver.cuCtxPushCurrent_v2(context),
        driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total)),
        driver.cuCtxPopCurrent_v2(ctypes.byref(context)),
    ]
    if any(codes):
        raise RunError(f"the GPU's driver does not tell its memory: CUDA's errors {codes}; set CUDA_VISIBLE_DEVICES=-1")
    return free.value // 1_000_000


def held_gpu_mb() -> int:
    """Return the megabytes of the GPU that this process holds and can use again."""
    import tensorflow as tf

    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"]) // 1_000_000


def processor_flags() -> set[str]:
    """Return the processor's features as Linux lists them, or no features where there is no such list."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
