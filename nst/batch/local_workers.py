"""Executors on this machine: this process itself, or new processes beside it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext

from tqdm import tqdm

from nst.batch.orders import (
    GROWN,
    Executor,
    Order,
    PictureResult,
    make,
    new_stop_name,
    place_stop,
    remove_stop,
    stop_path,
)
from nst.batch.relay import LAST, Relay, relayed
from nst.errors import UserError
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.run.memory_plan import LEAST_MB, SPARED
from nst.system.memory import available_mb
from nst.system.signals import ignore_terminal, unsignalled_children
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
def in_processes(workers: int, progress_of: Callable[[Order], Progress] | None = None) -> Iterator[Executor]:
    """Yield an executor of new processes on this machine, each with its part of the processor's threads and the memory.

    A process that has died, or that holds more memory than the next picture leaves to it, is renewed.

    progress_of  returns who shows the steps of a picture or the frames of a scene; each process has a thread of its own
                 that tells these

    Raises UserError where the memory is too little for so many processes.
    """
    stop = new_stop_name()
    most_mb = _mb_of_each(workers)
    threads = max(1, _processors() // workers)
    context = multiprocessing.get_context("spawn")
    crew = [_Worker(context, threads, progress_of) for _ in range(workers)]

    def submit(order: Order) -> Future[PictureResult]:
        worker = next(worker for worker in crew if worker.is_free())
        return worker.submit(replace(order, stop=stop, most_mb=most_mb))

    try:
        yield Executor(submit, lambda: workers, lambda: place_stop(stop))
    except BaseException:  # Whoever leaves by an exception has waited long enough.
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        for worker in crew:
            worker.close()
        remove_stop(stop)


class _Worker:
    """A process that makes a picture at a time, renewed where it has died or grown too large."""

    def __init__(self, context: SpawnContext, threads: int, progress_of: Callable[[Order], Progress] | None) -> None:
        self.context, self.threads, self.progress_of = context, threads, progress_of
        self.pool: ProcessPoolExecutor | None = None
        self.relay: Relay | None = None
        self.future: Future[PictureResult] | None = None

    def is_free(self) -> bool:
        """Return whether the process waits for an order."""
        return self.future is None or self.future.done()

    def submit(self, order: Order) -> Future[PictureResult]:
        """Give an order to the process, or to a new one. Only a process with earlier pictures may have grown."""
        if self.future and (self.future.exception() or self.future.result().state == GROWN):
            self.close()
        if self.pool:
            try:
                return self._hand_out(self.pool, replace(order, renewable=True))
            except BrokenProcessPool:  # It has died since its last picture.
                self.close()
        self.relay = Relay(self.context) if self.progress_of else None
        sender = self.relay.sender if self.relay else None
        self.pool = ProcessPoolExecutor(1, self.context, initializer=_begin, initargs=(self.threads, sender))
        future = self._hand_out(self.pool, order)
        if self.relay:
            self.relay.sender.close()  # The process has its own; the relay ends with it.
        return future

    def _hand_out(self, pool: ProcessPoolExecutor, order: Order) -> Future[PictureResult]:
        def submit() -> Future[PictureResult]:
            with unsignalled_children():
                return pool.submit(_make_in_worker, order)

        self.future = self.relay.shown(self.progress_of(order), submit) if self.relay and self.progress_of else submit()
        return self.future

    def close(self) -> None:
        """End the process."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)
        self.pool = self.future = None


def _processors() -> int:
    """Return the number of processors that this process may use; macOS and Windows tell those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _mb_of_each(workers: int) -> int:
    """Return the megabytes that each of so many processes may take. Raises UserError."""
    each = int((1 - SPARED) * available_mb() / workers)
    if each < LEAST_MB:
        needs = f"of at least {LEAST_MB} MB that it needs"
        if workers == 1:
            raise UserError(f"memory: {each} MB are free for a picture, {needs}; close other programs")
        raise UserError(f"--workers {workers}: leaves {each} MB of memory to each, {needs}; give fewer")
    return each


_sender: Connection | None = None  # To the client; set once, when a process begins.


def _make_in_worker(order: Order) -> PictureResult:
    """Make a picture in a process of `in_processes`; a SIGTERM of its own ends the process after its step."""
    made = make(order, relayed(_sender) if _sender else None)
    if _sender:
        with suppress(OSError):
            _sender.send((LAST, (), {}))
    if made.signal == signal.SIGTERM and not stop_path(order.stop).exists():
        os._exit(128 + signal.SIGTERM)
    return made


def _begin(threads: int, sender: Connection | None) -> None:
    """Prepare a new process: Ctrl-C is the client's, and when that one is gone, so is this one.

    sender  takes the progress of pictures, for the client to show
    """
    global _sender
    _sender = sender
    ignore_terminal()
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
