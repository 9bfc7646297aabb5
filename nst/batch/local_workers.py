"""Who makes the pictures of a batch: this process, others on this machine, or a Dask cluster without its disk.

Each is a crew that takes orders and gives a future of what came of each. Signals are the client's; it tells those at
work to end by a file, which they look for after each step.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from nst.batch.orders import Executor, Order, PictureResult, make
from nst.errors import UserError
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.run.job import Job
from nst.run.memory_plan import BASE_MB, SPARED
from nst.system.memory import available_mb
from nst.transfer.state import OnStep


@contextmanager
def in_this_process(
    show: Callable[[Job], Progress],
    stopped: Callable[[], int],
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> Iterator[Executor]:
    """Yield a crew of this process alone, which holds the network for all pictures: an order is done once submitted."""

    def submit(order: Order) -> Future[PictureResult]:
        future: Future[PictureResult] = Future()
        future.set_result(make(order, show, stopped, live, on_step))
        return future

    yield Executor(submit, lambda: 1)


@contextmanager
def in_processes(workers: int) -> Iterator[Executor]:
    """Yield a crew of new processes on this machine, among which the processor's threads and memory are shared out."""
    stop = stop_name()
    share_mb = _share_mb(workers)
    threads = max(1, len(os.sched_getaffinity(0)) // workers) if hasattr(os, "sched_getaffinity") else 1
    context = multiprocessing.get_context("spawn")
    pools: list[ProcessPoolExecutor] = []

    def submit(order: Order) -> Future[PictureResult]:
        for _ in range(2):
            if not pools:
                pools.append(ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(threads,)))
            try:
                return pools[0].submit(_make_in_worker, replace(order, stop=stop, share_mb=share_mb))
            except BrokenProcessPool:
                pools.pop().shutdown()
        raise BrokenProcessPool

    try:
        yield Executor(submit, lambda: workers, lambda: place_stop(stop))
    except BaseException:  # all that must not wait has been waited for
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)
        remove_stop(stop)


def _share_mb(workers: int) -> int:
    """Return the megabytes that each of so many processes may take, or 0 where it is not known. Raises UserError."""
    free = available_mb()
    share = int((1 - SPARED) * (free or 0) / workers)
    if free is not None and share < BASE_MB:
        words = f"leaves {share} MB of memory to each, of at least {BASE_MB} MB that it needs; give fewer"
        raise UserError(f"--workers {workers}: {words}")
    return share


def _make_in_worker(order: Order) -> PictureResult:
    """Make a picture in a process of `in_processes`; a SIGTERM of its own ends the process after its step."""
    made = make(order)
    if made.signal == signal.SIGTERM and not Path(tempfile.gettempdir(), order.stop).exists():
        os._exit(128 + signal.SIGTERM)
    return made


def _begin(threads: int) -> None:
    """Prepare a new process: Ctrl-C is the client's, and when that one is gone, so is this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(threads))
    tqdm.set_lock(threading.RLock())  # its own is one of all processes, which a killed one leaves behind
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def stop_name() -> str:
    return f"neural_art_stop_{uuid.uuid4().hex}"


def place_stop(stop: str) -> None:
    Path(tempfile.gettempdir(), stop).touch()


def remove_stop(stop: str) -> None:
    Path(tempfile.gettempdir(), stop).unlink(missing_ok=True)
