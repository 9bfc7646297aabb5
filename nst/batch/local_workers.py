"""Executors on this machine: this process itself, or new processes beside it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace

from tqdm import tqdm

from nst.batch.orders import Executor, Order, PictureResult, make, new_stop_name, place_stop, remove_stop, stop_path
from nst.errors import UserError
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.run.memory_plan import LEAST_MB, SPARED
from nst.system.memory import available_mb
from nst.system.signals import unsignalled_children
from nst.transfer.state import OnStep


@contextmanager
def in_this_process(
    progress_of: Callable[[Order], Progress],
    *,
    stopped: Callable[[], int],
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> Iterator[Executor]:
    """Yield an executor of this process alone, which holds the network for all pictures: submit makes the picture."""

    def submit(order: Order) -> Future[PictureResult]:
        future: Future[PictureResult] = Future()
        future.set_result(make(order, progress_of(order), stopped=stopped, live=live, on_step=on_step))
        return future

    yield Executor(submit, lambda: 1)


@contextmanager
def in_processes(workers: int) -> Iterator[Executor]:
    """Yield an executor of new processes on this machine, each with its part of the processor's threads and the memory.

    Raises UserError where the memory is too little for so many processes.
    """
    stop = new_stop_name()
    most_mb = _mb_of_each(workers)
    threads = max(1, len(os.sched_getaffinity(0)) // workers) if hasattr(os, "sched_getaffinity") else 1
    context = multiprocessing.get_context("spawn")
    pools: list[ProcessPoolExecutor] = []

    def submit(order: Order) -> Future[PictureResult]:
        for _ in range(2):
            if not pools:
                pools.append(ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(threads,)))
            try:
                with unsignalled_children():
                    return pools[0].submit(_make_in_worker, replace(order, stop=stop, most_mb=most_mb))
            except BrokenProcessPool:
                pools.pop().shutdown()
        raise BrokenProcessPool

    try:
        yield Executor(submit, lambda: workers, lambda: place_stop(stop))
    except BaseException:  # Whoever leaves by an exception has waited long enough.
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)
        remove_stop(stop)


def _mb_of_each(workers: int) -> int:
    """Return the megabytes that each of so many processes may take, or 0 where that is not known. Raises UserError."""
    free = available_mb()
    each = int((1 - SPARED) * (free or 0) / workers)
    if free is not None and each < LEAST_MB:
        words = f"leaves {each} MB of memory to each, of at least {LEAST_MB} MB that it needs; give fewer"
        raise UserError(f"--workers {workers}: {words}")
    return each


def _make_in_worker(order: Order) -> PictureResult:
    """Make a picture in a process of `in_processes`; a SIGTERM of its own ends the process after its step."""
    made = make(order)
    if made.signal == signal.SIGTERM and not stop_path(order.stop).exists():
        os._exit(128 + signal.SIGTERM)
    return made


def _begin(threads: int) -> None:
    """Prepare a new process: Ctrl-C is the client's, and when that one is gone, so is this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Where unsignalled_children can do nothing.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(threads))
    tqdm.set_lock(
        threading.RLock()
    )  # tqdm's own lock is shared by all processes, and a killed process leaves it locked.
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
