"""TODO."""

from __future__ import annotations

import io
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nst
from nst.errors import RunError, UserError
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.checkpoint import has_checkpoint, read_checkpoint, remove_checkpoint
from nst.run.input_files import Paths
from nst.run.job import Job, plan_job, run_job
from nst.run.record import is_begun
from nst.settings import Settings
from nst.system.atomic_files import atomic_write
from nst.transfer.state import OnStep


@dataclass(frozen=True)
class Order:
    """A picture to make, with where its files are and the result goes on the disk of whoever makes it.

    anew      whether a checkpoint that is there is of no use
    stop      name of a file, in the folder for temporary ones, that is there once work is to end
    share_mb  the most memory to take where the settings do not say; 0 for most of what is free
    version   of the program that orders
    """

    paths: Paths
    settings: Settings
    output: Path
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    verbose: bool = False
    anew: bool = False
    stop: str = ""
    share_mb: int = 0
    version: str = nst.__version__


@dataclass(frozen=True)
class PictureResult:
    """What came of an order.

    error    why there is no picture, or not a whole one, in one line
    told     warnings
    signal   number of the one that stopped it, or 0
    trace    of an error that is a mistake of the program
    files    contents by path beside the result, where it was made on another disk
    """

    state: str
    seconds: float = 0.0
    error: str | None = None
    told: tuple[str, ...] = ()
    signal: int = 0
    trace: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Executor:
    """Who makes pictures.

    limit  returns how many orders may be in flight
    stop   tells those at work to end after their step
    busy   returns whether any is at work; else orders in flight have come to no one
    """

    submit: Callable[[Order], Future[PictureResult]]
    limit: Callable[[], int]
    stop: Callable[[], None] = lambda: None
    busy: Callable[[], bool] = lambda: True


def make(
    order: Order,
    show: Callable[[Job], Progress] | None = None,
    stopped: Callable[[], int] = lambda: 0,
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> PictureResult:
    """Make a picture, from its checkpoint if there is one, and return what came of it; nothing is raised.

    show     returns what shows the progress of a job; by default nothing does
    stopped  returns the number of a signal that came, or 0
    live     what shows it to browsers
    on_step  listeners to each step
    """
    began, told, job = time.monotonic(), io.StringIO(), None
    stop = Path(tempfile.gettempdir(), order.stop)

    def result(state: str, error: object = None, **facts: Any) -> PictureResult:
        lines = tuple(line.removeprefix("neural_art: ") for line in told.getvalue().splitlines())
        return PictureResult(state, time.monotonic() - began, None if error is None else str(error), lines, **facts)

    def number() -> int:
        return stopped() or (signal.SIGTERM if order.stop and stop.exists() else 0)

    if number():
        return result(STOPPED, signal=number())
    try:
        job = _job(order)
        progress = show(job) if show else Progress(job.scales, told, done=_done(job), kind="quiet")
        run_job(job, verbose=order.verbose, progress=progress, live=live, stopped=number, on_step=on_step)
        return result(DONE)
    except KeyboardInterrupt as error:
        return result(STOPPED, signal=error.args[0] if error.args else signal.SIGINT)
    except (UserError, RunError) as error:
        return result(FAILED, error)
    except OSError as error:
        return result(FAILED, f"{error.filename or 'file'}: {error.strerror or error}")
    except Exception as error:  # of one picture; the others go on
        return result(FAILED, f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def write_files(order: Order, made: PictureResult) -> None:
    """Write what was made on another disk to where it belongs, the picture last. Raises OSError."""
    files = sorted(made.files.items(), key=lambda item: item[0] == order.output.name)
    for name, content in files:
        path = order.output.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
    if made.state == DONE:
        remove_checkpoint(order.output.with_suffix(""))


def _job(order: Order) -> Job:
    """Return the job of an order, from its checkpoint where that is whole and of the same inputs and settings."""
    folder, resume = order.output.with_suffix(""), None
    if has_checkpoint(folder) and not order.anew:
        with suppress(UserError):
            resume, _ = read_checkpoint(folder)
            resume = resume if is_begun(resume, order.paths, order.settings) else None
    (content,) = order.paths["content"]
    limited = replace(order.settings, max_memory=order.settings.max_memory or order.share_mb)
    job = plan_job(
        str(content),
        [str(path) for path in order.paths["style"]],
        limited,
        output=str(order.output),
        overwrite=order.overwrite or resume is not None or has_checkpoint(folder),
        plot=order.plot,
        report=order.report,
        resume=resume,
    )
    return replace(job, inputs=replace(job.inputs, settings=order.settings))


def _done(job: Job) -> int:
    return len(job.resume.steps) if job.resume else 0
