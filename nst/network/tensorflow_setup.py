"""TensorFlow's environment: settings before its import, messages, threads, the memory and the arithmetic of GPUs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nst.errors import UserError
from nst.network.device import device, gpu_driver
from nst.network.quick_import import quick_import
from nst.system.signals import uninterrupted
from nst.system.streams import silenced

REWRITES_OFF = "disable_meta_optimizer"  # TensorFlow's option that leaves graphs as they are.


def start_tensorflow(*, threads: int, verbose: bool) -> None:
    """Import TensorFlow and set its threads, with oneDNN on, also on processors without AVX512.

    threads  the number of threads; 0 leaves the number to TensorFlow
    verbose  whether TensorFlow's messages go to stderr

    Raises UserError where this process has begun to compute with another number of threads.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if verbose else "3")
    with silenced(verbose=verbose), uninterrupted():
        with quick_import():
            import tensorflow as tf
        if not verbose:
            tf.get_logger().setLevel("ERROR")  # It warns of several graphs of one function.
        if threads:
            _set_threads(threads)
        tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 is what its name says.
        for gpu in tf.config.list_physical_devices("GPU"):
            with suppress(RuntimeError, ValueError):  # A program that calls this one has set its memory up already.
                tf.config.experimental.set_memory_growth(gpu, True)
        tf.zeros([1])  # Starts the devices, which report now.


@contextmanager
def graphs_as_written() -> Iterator[None]:
    """Let a processor run graphs as they are while the block, or the decorated function, runs.

    TensorFlow would rewrite each graph first, which takes a tenth of a second and gains nothing for ours.
    """
    import tensorflow as tf

    before = tf.config.optimizer.get_experimental_options().get(REWRITES_OFF, False)
    tf.config.optimizer.set_experimental_options({REWRITES_OFF: before or not device().is_gpu})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({REWRITES_OFF: before})


def start_if_gpu(*, threads: int, verbose: bool) -> None:
    """Start TensorFlow where the machine has a driver of GPUs: a plan depends on whether TensorFlow can use one.

    Elsewhere a plan needs no TensorFlow, which takes long to import. See start_tensorflow.
    """
    if gpu_driver():
        start_tensorflow(threads=threads, verbose=verbose)


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
