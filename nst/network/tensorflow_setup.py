"""TensorFlow's environment: settings before its import, messages, threads, GPU memory, the processor's fast type."""

import os
from pathlib import Path

from nst.errors import UserError
from nst.system.signals import uninterrupted
from nst.system.streams import silenced

BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}  # The features of processors that compute in bfloat16.


def start_tensorflow(*, threads: int, verbose: bool) -> None:
    """Import TensorFlow and set its threads, with oneDNN on, also on processors without AVX512.

    threads  the number of threads; 0 leaves the number to TensorFlow
    verbose  whether TensorFlow's messages go to stderr

    Raises UserError where this process has begun to compute with another number of threads.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if verbose else "3")
    with silenced(verbose=verbose), uninterrupted():
        import tensorflow as tf

        if not verbose:
            tf.get_logger().setLevel("ERROR")  # It warns of several graphs of one function.
        if threads:
            _set_threads(threads)
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.zeros([1])  # Starts the devices, which report now.


def _set_threads(threads: int) -> None:
    """Set TensorFlow's numbers of threads, which is possible only before it computes. Raises UserError."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        there = tf.config.threading.get_intra_op_parallelism_threads()
        words = f"this process computes with {there or 'a number of threads chosen by TensorFlow'} already"
        raise UserError(f"threads={threads}: {words}; set it before the first picture") from error


def network_precision(wanted: str) -> str:
    """Return the wanted type of the convolutions, or for 'auto' bfloat16 where the processor has it, else float32."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if processor_flags() & BFLOAT16_FLAGS else "float32"


def device_name() -> str:
    """Return the device that computes, such as 'processor' or 'GPU NVIDIA H100'. TensorFlow must have started."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "processor"
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "")
    return f"GPU {name}".strip()


def processor_flags() -> set[str]:
    """Return the processor's features as Linux lists them, or no features on another system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
