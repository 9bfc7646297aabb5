"""Many pictures: handed out to whoever makes them, collected, and written down in the manifest as they are done.

One loop for all crews of workers.py. However few or many work, and wherever it was stopped, the results are the same.
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
from nst.batch.orders import Executor, Order, PictureResult, write_files
from nst.batch.page import write_batch_page
from nst.batch.plan import Plan
from nst.batch.progress import BatchProgress
from nst.batch.tasks import Task
from nst.errors import UserError
from nst.report.live_view import LiveView
from nst.report.pages import REPORT, check_engine
from nst.report.progress import Progress
from nst.report.status import CHANGED, DONE, FAILED, SHEET, STARTED, STOPPED
from nst.run.checkpoint import remove_checkpoint
from nst.run.dry_run import check_network
from nst.run.job import Job, plan_job
from nst.system.atomic_files import check_writable, folder_lock, remove_parts
from nst.system.signals import AtOnce, Stopped, deferred
from nst.transfer.state import OnStep

MOST_WORKERS = 1024
TRIES = 3  # for a picture whose worker dies over it
SECONDS_BETWEEN_LOOKS = 0.5  # for a signal, while workers are at work


@dataclass(frozen=True)
class WorkerOptions:
    """Who is to make a batch: this process, unless there are `workers` here or a Dask cluster at `dask`."""

    workers: int = 0
    dask: str | None = None
    resources: dict[str, float] = field(default_factory=dict)


@dataclass
class _Run:
    """A batch at work: what waits, what is in flight, and how often the worker of a picture has died."""

    plan: Plan
    progress: BatchProgress
    force: bool
    waiting: deque[Task]
    in_flight: dict[Future[PictureResult], tuple[Task, Order]] = field(default_factory=dict)
    crashes: dict[int, int] = field(default_factory=dict)
    signal: int = 0  # that stopped it


def read_worker_options(arguments: Mapping[str, Any]) -> WorkerOptions:
    """Return who is to make a batch, as flags say. Raises UserError."""
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
    hands: WorkerOptions,
    progress: BatchProgress,
    *,
    force: bool = False,
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> None:
    """Make what is not done of a batch, and its page. Ctrl-C and SIGTERM first save what there is.

    force  whether to start anew, whatever a run before has left
    live   what shows to browsers what this process makes
    on_step  listeners to each step of the pictures that this process makes

    A picture that fails is told of and the others go on. Raises KeyboardInterrupt after a signal, and UserError where
    another batch is at work there.
    """
    if plan.report:
        check_engine()
    run = _Run(plan, progress, force, deque(task for task in plan.tasks if task.state != DONE))
    any_left = bool(run.waiting)
    with deferred() as signalled, ExitStack() as claim:
        try:
            with _crew(
                hands, run, signalled, live, on_step
            ) as crew:  # first: where no cluster answers, no folder is made
                claim.enter_context(_begun(plan))
                _work(run, crew, signalled)
            if not run.signal:
                _write_sheets(plan, anew=any_left)
            if plan.report:
                _write_page(plan, progress)
        except AtOnce as error:
            raise AtOnce(error.args[0], _done_so_far(plan), None) from None
        if run.signal:
            raise Stopped(run.signal, _done_so_far(plan), None)


@contextmanager
def _begun(plan: Plan) -> Iterator[None]:
    """Make the folder of a batch and hold it. Raises UserError."""
    check_writable(plan.folder / MANIFEST)
    with folder_lock(plan.folder):
        for name in (MANIFEST, REPORT):
            remove_parts(plan.folder / name)
        plan.manifest.keep_hashes()
        yield


def _write_sheets(plan: Plan, *, anew: bool) -> None:
    for path, sheet in plan.sheets():
        if anew or not path.exists():
            remove_parts(path)
            write_sheet(path, sheet)
            plan.manifest.note(path.name, state=SHEET)


def _write_page(plan: Plan, progress: BatchProgress) -> None:
    """Write the batch's page, unless it is there and shows the same. What keeps it from that is told."""
    path, entries, manifest = plan.folder / REPORT, plan.entries(), plan.manifest
    shown = hashlib.sha256(json.dumps([entry.described() for entry in entries]).encode()).hexdigest()
    if path.exists() and manifest.page is None:
        progress.tell(f"{path}: is not of this batch and stays as it is; the batch has no page")
        return
    if path.exists() and manifest.page == shown:
        return
    manifest.note_page("")
    try:
        write_batch_page(path, plan.title, entries)
    except OSError as error:
        progress.tell(f"{error.filename or path}: {error.strerror or error}; the batch has no page")
        return
    manifest.note_page(shown)


def _done_so_far(plan: Plan) -> str:
    done = sum(entry.state == DONE for entry in plan.entries())
    return f"{done} of {len(plan.tasks)} pictures are done"


def _crew(
    hands: WorkerOptions, run: _Run, signalled: Callable[[], int], live: LiveView | None, on_step: Sequence[OnStep]
) -> AbstractContextManager[Executor]:
    if run.waiting and hands.dask is not None:
        return on_dask(hands.dask, hands.resources, run.progress.tell)
    if run.waiting and hands.workers:
        return in_processes(min(hands.workers, len(run.waiting)))

    def show(job: Job) -> Progress:
        if live:
            live.place = f"{run.progress.ended + 1} of {run.progress.pictures}"
        return Progress(
            job.scales,
            done=len(job.resume.steps) if job.resume else 0,
            most_seconds=job.settings.max_time,
            kind=run.progress.kind,
            job=job.output.name,
        )

    return in_this_process(show, signalled, live, on_step)


def _work(run: _Run, crew: Executor, signalled: Callable[[], int]) -> None:
    """Hand out all that waits, never more at once than the crew takes, and collect what comes back."""
    while run.waiting or run.in_flight:
        run.signal = run.signal or signalled()
        if run.signal:
            crew.stop()
            run.waiting.clear()
        while run.waiting and not signalled() and _has_room(run, crew):
            _hand_out(run, crew, run.waiting.popleft())
        if run.in_flight:
            ended = wait(run.in_flight, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done
            for future in sorted(ended, key=lambda future: run.in_flight[future][0].number):
                _collect(run, future)
            if run.signal and not ended and not crew.busy():
                return
        elif run.waiting:
            time.sleep(SECONDS_BETWEEN_LOOKS)  # for a worker


def _has_room(run: _Run, crew: Executor) -> bool:
    """Return whether the next picture may go out: one over which a worker has died goes alone, to be found out."""
    alone = any(
        run.crashes.get(task.number) for task in (run.waiting[0], *(task for task, _ in run.in_flight.values()))
    )
    return not run.in_flight if alone else len(run.in_flight) < crew.limit()


def _hand_out(run: _Run, crew: Executor, task: Task) -> None:
    manifest, result = run.plan.manifest, run.plan.result(task)
    order = Order(
        task.paths,
        task.settings,
        result,
        overwrite=task.output is None or task.overwrite or task.name in manifest.jobs,
        plot=task.plot,
        report=task.report,
        verbose=task.verbose,
        anew=run.force and task.number not in run.crashes,
    )
    facts = {"wanted": task.wanted, "identity": task.identity, "inputs": task.inputs, "key": task.key}
    if order.anew or task.state == CHANGED:
        remove_checkpoint(result.with_suffix(""))
    manifest.note(task.name, state=STARTED, seconds=None, error=None, settings=task.differs, **facts)
    run.progress.begin(task.name)
    try:
        future = crew.submit(order)
    except (UserError, OSError) as error:
        future = Future()
        future.set_result(PictureResult(FAILED, error=str(error)))
    run.in_flight[future] = task, order


def _collect(run: _Run, future: Future[PictureResult]) -> None:
    """Write down what came of a picture; hand it out again where its worker has died."""
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
            made = PictureResult(
                FAILED, error=f"its worker has died, {TRIES} times; it may need more memory than there is"
            )
    except Exception as error:  # of the cluster
        made = PictureResult(FAILED, error=f"{type(error).__name__}: {error}")
    for line in made.told:
        run.progress.tell(line, task.name)
    if made.trace:
        run.progress.trace(made.trace)
    try:
        write_files(order, made)
    except OSError as error:
        made = PictureResult(FAILED, error=f"{error.filename or order.output}: {error.strerror or error}")
    run.signal = run.signal or made.signal
    seconds = round(made.seconds, 3)
    run.plan.manifest.note(task.name, state=made.state, seconds=seconds, error=made.error)
    run.progress.end(run.plan.entry(task))


def check_batch(plan: Plan, progress: BatchProgress) -> list[str]:
    """Check all that is to be made, without writing anything, and return a line for each picture that would fail."""
    failed, networks = [], set()
    for task in plan.tasks:
        if task.state == DONE:
            continue
        content, styles = task.paths["content"][0], task.paths["style"]
        try:
            job = plan_job(
                str(content),
                [str(style) for style in styles],
                task.settings,
                output=str(plan.result(task)),
                overwrite=task.output is None or task.overwrite or task.name in plan.manifest.jobs,
                plot=task.plot,
                report=task.report,
                dry_run=True,
            )
            network = (task.settings.weights, task.settings.pooling, task.settings.precision)
            if network not in networks:
                check_network(job, verbose=task.verbose)
                networks.add(network)
        except UserError as error:
            failed.append(f"{task.where or task.name}: {error}")
            progress.tell(str(error), task.where or task.name)
    return failed


def failures(plan: Plan) -> list[str]:
    """Return a line for each picture that failed, with the row that it comes from."""
    entries = [(task, plan.entry(task)) for task in plan.tasks]
    return [f"{task.where or task.name}: {entry.error}" for task, entry in entries if entry.state == FAILED]
