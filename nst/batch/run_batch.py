"""Many pictures: handed out to an executor, collected, and noted in the manifest as they are done.

One loop for all executors. However many workers there are, and wherever a batch was stopped, the results are the same.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from nst.batch.contact_sheet import write_sheet
from nst.batch.dask_workers import on_dask
from nst.batch.local_workers import in_processes, in_this_process
from nst.batch.manifest import NAME as MANIFEST
from nst.batch.orders import GROWN, Executor, Order, PictureResult, write_files
from nst.batch.page import write_batch_page
from nst.batch.plan import Plan
from nst.batch.progress import BatchProgress
from nst.batch.tasks import Task
from nst.errors import RunError, UserError, os_error_words
from nst.report.live_view import LiveView
from nst.report.pages import REPORT, check_engine
from nst.report.progress import Progress
from nst.report.status import CHANGED, DONE, FAILED, SHEET, STARTED, STOPPED
from nst.run.folder import RunFolder
from nst.system.atomic_files import check_writable, folder_lock, remove_parts
from nst.system.signals import AtOnce, Stopped, deferred
from nst.transfer.state import OnStep

MOST_WORKERS = 1024
TRIES = 3  # The number of workers that may crash over a picture.
SECONDS_BETWEEN_LOOKS = 0.5  # The seconds between two looks for a signal, while workers are at work.


@dataclass(frozen=True)
class WorkerOptions:
    """Who makes a batch: this process, or `workers` processes here, or a Dask cluster at `dask`.

    resources  the resources that a Dask worker must have
    """

    workers: int = 0
    dask: str | None = None
    resources: dict[str, float] = field(default_factory=dict)


@dataclass
class _Run:
    """A batch at work: the tasks that wait, the orders in flight, and the crashes of each task's worker by number."""

    plan: Plan
    progress: BatchProgress
    force: bool
    waiting: deque[Task]
    in_flight: dict[Future[PictureResult], tuple[Task, Order]] = field(default_factory=dict)
    crashes: dict[int, int] = field(default_factory=dict)
    signal: int = 0  # The number of the signal that stopped the batch.


def read_worker_options(arguments: Mapping[str, Any]) -> WorkerOptions:
    """Return who makes a batch, as the flags say. Raises UserError."""
    workers, dask = arguments.get("workers"), arguments.get("dask")
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise UserError(f"--workers {workers}: must be a whole number from 1 to {MOST_WORKERS}")
    if workers is not None and dask is not None:
        raise UserError("--workers and --dask: are two ways to share the pictures out; give one of them")
    if arguments.get("watch") and (workers is not None or dask is not None):
        other = "--workers" if dask is None else "--dask"
        raise UserError(f"--watch and {other}: only what this process makes can be watched; leave one of them out")
    resources = {}
    for text in arguments.get("dask_resource") or []:
        name, _, number = text.partition("=")
        try:
            resources[name] = float(number)
        except ValueError:
            raise UserError(f"--dask-resource {text}: must be a name and a number, as GPU=1") from None
    if resources and dask is None:
        raise UserError("--dask-resource: is for --dask; give that too")
    return WorkerOptions(workers or 0, dask, resources)


def run_batch(
    plan: Plan,
    options: WorkerOptions,
    progress: BatchProgress,
    *,
    force: bool = False,
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> None:
    """Make the unfinished pictures of a batch, and its page. Ctrl-C and SIGTERM first save the picture so far.

    force    whether to start anew, whatever an earlier run has left
    live     shows to browsers the pictures that this process makes
    on_step  listeners to each step of the pictures that this process makes

    A failure is told and the other pictures go on. Raises KeyboardInterrupt after a signal, and UserError where another
    batch is at work in the folder.
    """
    if plan.report:
        check_engine()
    run = _Run(plan, progress, force, deque(task for task in plan.tasks if task.state != DONE))
    any_left = bool(run.waiting)
    here = _makes_here(options, run, live, on_step)
    with deferred(heard=None if here else progress.stopping) as signalled, ExitStack() as claim:
        try:
            # The executor comes first: where no cluster answers, no folder is made.
            with _executor(options, run, signalled, live, on_step, here=here) as executor:
                claim.enter_context(_begun(plan))
                _work(run, executor, signalled)
            if not run.signal:
                _write_sheets(plan, progress, anew=any_left)
            if plan.report:
                _write_page(plan, progress)
        except RunError as error:  # The cluster is lost.
            raise RunError(f"{error}; give the same command again to go on") from error
        except AtOnce as error:
            raise AtOnce(error.args[0], plan.done_so_far(), None) from None
        if run.signal:
            raise Stopped(run.signal, plan.done_so_far(), None)


@contextmanager
def _begun(plan: Plan) -> Iterator[None]:
    """Make the folder of a batch and hold it. Raises UserError."""
    check_writable(plan.folder / MANIFEST)
    with folder_lock(plan.folder):
        for name in (MANIFEST, REPORT):
            remove_parts(plan.folder / name)
        plan.manifest.keep_hashes()
        yield


def _write_sheets(plan: Plan, progress: BatchProgress, *, anew: bool) -> None:
    """Write the contact sheets of a sweep. The user is told of a sheet that cannot be written."""
    for path, sheet in plan.sheets():
        if anew or not path.exists():
            remove_parts(path)
            try:
                write_sheet(path, sheet)
            except OSError as error:
                progress.tell(f"{os_error_words(error, str(path))}; the batch has no contact sheet")
                continue
            plan.manifest.note(path.name, state=SHEET)


def _write_page(plan: Plan, progress: BatchProgress) -> None:
    """Write the batch's page, unless it is there and shows the same. What keeps it from that is told."""
    path, statuses, grids, manifest = plan.folder / REPORT, plan.statuses(), plan.grids(), plan.manifest
    told = [[status.described() for status in statuses], [[grid.title, grid.rows, grid.columns] for grid in grids]]
    shown = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    if path.exists() and manifest.page is None:
        progress.tell(f"{path}: is not of this batch and stays as it is; the batch has no page")
        return
    if path.exists() and manifest.page == shown:
        return
    manifest.note_page("")
    try:
        write_batch_page(path, plan.title, statuses, grids)
    except OSError as error:
        progress.tell(f"{os_error_words(error, str(path))}; the batch has no page")
        return
    manifest.note_page(shown)


def _executor(
    options: WorkerOptions,
    run: _Run,
    signalled: Callable[[], int],
    live: LiveView | None,
    on_step: Sequence[OnStep],
    *,
    here: bool,
) -> AbstractContextManager[Executor]:
    """Return who makes the pictures of a batch; `here` if it is this process."""
    if run.waiting and options.dask is not None:
        return on_dask(options.dask, options.resources, run.progress.tell)
    if run.waiting and options.workers:
        return in_processes(min(options.workers, len(run.waiting)))

    def progress_of(order: Order) -> Progress:
        if live:
            live.place = f"{run.progress.ended + 1} of {run.progress.pictures}"
        return Progress(kind=run.progress.kind, job=order.request.output.name if order.request.output else None)

    if not here:
        return in_processes(1, progress_of)
    return in_this_process(progress_of, stopped=signalled, live=live, on_step=on_step)


def _makes_here(options: WorkerOptions, run: _Run, live: LiveView | None, on_step: Sequence[OnStep]) -> bool:
    """Return whether this process makes the pictures. A process with a limit of memory must be one that is renewed."""
    watched = live is not None or bool(on_step)
    limited = any(task.request.settings.max_memory for task in run.waiting) and len(run.waiting) > 1
    return not (run.waiting and (options.dask or options.workers or (limited and not watched)))


def _work(run: _Run, executor: Executor, signalled: Callable[[], int]) -> None:
    """Hand out all waiting pictures, never more at once than the executor takes, and collect the results."""
    while run.waiting or run.in_flight:
        run.signal = run.signal or signalled()
        if run.signal:
            executor.stop()
            run.waiting.clear()
        while run.waiting and not signalled() and _has_room(run, executor):
            _hand_out(run, executor, run.waiting.popleft())
        if run.in_flight:
            ended = wait(run.in_flight, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done
            for future in sorted(ended, key=lambda future: run.in_flight[future][0].number):
                _collect(run, future)
            if run.signal and not ended and not executor.busy():
                return
        elif run.waiting:
            time.sleep(SECONDS_BETWEEN_LOOKS)  # For a worker to come.


def _has_room(run: _Run, executor: Executor) -> bool:
    """Return whether the next picture may go out. A picture whose worker has crashed goes alone, to be found out."""
    in_flight = [task for task, _ in run.in_flight.values()]
    alone = any(run.crashes.get(task.number) for task in (run.waiting[0], *in_flight))
    return not run.in_flight if alone else len(run.in_flight) < executor.limit()


def _hand_out(run: _Run, executor: Executor, task: Task) -> None:
    manifest, result = run.plan.manifest, run.plan.result(task)
    anew = run.force and task.number not in run.crashes
    order = Order(run.plan.request(task), if_begun=not anew)
    facts = {"wanted": task.wanted, "identity": task.identity, "inputs": task.inputs, "key": task.key}
    if anew or task.state == CHANGED:
        RunFolder(result).remove_checkpoint()
    manifest.note(task.name, state=STARTED, seconds=None, error=None, settings=task.differs, **facts)
    run.progress.begin(task.name)
    run.in_flight[_submitted(executor, order, task)] = task, order


def _submitted(executor: Executor, order: Order, task: Task) -> Future[PictureResult]:
    """Submit an order; where that fails, the picture fails."""
    error = task.source.error
    try:
        if error is None:
            return executor.submit(order)
    except (UserError, OSError) as reason:
        error = os_error_words(reason) if isinstance(reason, OSError) else str(reason)
    future: Future[PictureResult] = Future()
    future.set_result(PictureResult(FAILED, error=error))
    return future


def _collect(run: _Run, future: Future[PictureResult]) -> None:
    """Note the result of a picture; hand the picture out again where its worker has crashed."""
    task, order = run.in_flight.pop(future)
    try:
        made = future.result()
    except (BrokenExecutor, CancelledError):
        run.crashes[task.number] = run.crashes.get(task.number, 0) + 1
        if run.signal:
            made = PictureResult(STOPPED)
        elif run.crashes[task.number] < TRIES:
            run.progress.tell("its worker has died; another one takes it", task.name)
            run.waiting.append(task)
            return
        else:
            words = f"its worker has died, {TRIES} times; it may need more memory than there is"
            made = PictureResult(FAILED, error=words)
    except Exception as error:  # The cluster's.
        made = PictureResult(FAILED, error=f"{type(error).__name__}: {error}")
    if made.state == GROWN:
        run.waiting.appendleft(task)
        return
    for line in made.warnings:
        run.progress.tell(line, task.name)
    if made.trace:
        run.progress.trace(made.trace)
    try:
        write_files(order, made)
    except OSError as error:
        made = PictureResult(FAILED, error=os_error_words(error, str(order.request.output)))
    run.signal = run.signal or made.signal
    run.plan.manifest.note(task.name, state=made.state, seconds=round(made.seconds, 3), error=made.error)
    run.progress.end(run.plan.status(task))


def failures(plan: Plan) -> list[str]:
    """Return a line for each picture that failed, with the row that it comes from."""
    statuses = [(task, plan.status(task)) for task in plan.tasks]
    return [f"{task.label}: {status.error}" for task, status in statuses if status.state == FAILED]
