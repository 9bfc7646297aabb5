"""One picture, from its request to the files that a run leaves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nst.errors import RunError, UserError, os_error_words
from nst.network.loaded import network_of, reading_ahead
from nst.network.tensorflow_setup import start_tensorflow
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.run.folder import reserved
from nst.run.job import Job, begun_elsewhere, plan_job
from nst.run.memory_plan import has_outgrown
from nst.run.origin import Origin
from nst.run.record import make_record, network_warnings
from nst.run.request import Request
from nst.run.results import Results
from nst.system.atomic_files import folder_lock
from nst.system.large_arrays import in_files
from nst.system.shell import shell_words
from nst.system.signals import AtOnce, Stopped, deferred, uninterrupted
from nst.transfer.state import OnStep, State, Step

if TYPE_CHECKING:
    from nst.network.vgg19 import Network


class OutgrownError(Exception):
    """A new process must make the picture: TensorFlow keeps compiled code for each size of picture for good."""


def run_picture(
    request: Request,
    origin: Origin,
    progress: Progress,
    *,
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
    stopped: Callable[[], int] = lambda: 0,
    most_mb: float = 0,
    renewable: bool = False,
) -> Path:
    """Make the picture and return its path. Ctrl-C and SIGTERM, as KeyboardInterrupt, first save the picture so far.

    progress  shows the run's progress and tells warnings
    live      shows the growing picture to browsers
    on_step   more listeners to each step
    stopped   returns the number of a signal that came elsewhere, or 0
    most_mb    see plan_job
    renewable  whether to raise OutgrownError where earlier pictures have left this process too little memory

    Raises UserError for a mistake found before the first step; RunError where numbers get out of hand, or where the
    picture had to be saved elsewhere.
    """
    with progress:
        progress.phase("reading the pictures")
        job = plan_job(request, origin, most_mb=most_mb)
        if renewable and has_outgrown(job.memory, job.settings, most_mb):
            raise OutgrownError
        begin_progress(progress, job, origin)
        live = live or LiveView()
        steps = job.checkpoint.steps if job.checkpoint else ()
        with live.showing(job.sources, steps, lambda: (progress.fraction_done, progress.seconds_left)):
            return _make(job, progress, live, on_step, stopped)


def begin_progress(progress: Progress, job: Job, origin: Origin) -> None:
    """Let progress begin with a job, and tell the user's warnings."""
    progress.begin(job.scales, done=job.steps_done, most_seconds=job.settings.max_time)
    for line in (*job.notes, *origin.all_warnings()):
        progress.tell(line)
    if stopped := begun_elsewhere(job):
        resume = shell_words(["--resume", str(stopped.path)])
        words = f"{stopped.path}: holds the same run, stopped; {resume} goes on with it"
        progress.tell(f"{words}; this one is {job.folder.output.stem}")


def tell_inputs(progress: Progress, job: Job) -> None:
    """Tell the inputs of a run, when nothing can be refused any more."""
    progress.inputs(job.request.paths["content"][0], job.request.paths["style"])


def load_network(job: Job, progress: Progress | None = None) -> tuple[Network, dict[str, str]]:
    """Start TensorFlow and return the network of a job with its precision, weights_sha256 and device.

    Raises UserError where weights cannot be loaded, or where a run would resume with other weights than it began with.
    """
    progress = progress or Progress(kind="silent")
    progress.phase("starting TensorFlow")
    with reading_ahead(job.settings):
        start_tensorflow(threads=job.settings.threads, verbose=job.request.verbose)
    progress.phase("reading the network")
    with uninterrupted():
        network, facts = network_of(job.settings)
    if job.checkpoint and job.checkpoint.record.weights_sha256 != facts["weights_sha256"]:
        words = "was begun with other weights; give them with --weights, or start the run anew"
        raise UserError(f"{job.folder.path}: {words}")
    return network, facts


def _make(job: Job, progress: Progress, live: LiveView, on_step: Sequence[OnStep], stopped: Callable[[], int]) -> Path:
    started = time.monotonic()
    network, facts = load_network(job, progress)
    tell_inputs(progress, job)
    for line in network_warnings(job.record, facts) if job.record else []:
        progress.tell(line)
    job = _placed(job)
    earlier = job.checkpoint
    steps = list(earlier.steps) if earlier else []
    record = make_record(job.request, job.folder.output, job.digests, facts)
    before = started - (earlier.seconds if earlier else 0)
    there = [(step, job.folder.snapshot(step)) for step in steps if job.folder.snapshot(step).exists()]
    results = Results(job, record, progress, before, steps, there)
    waiting = deferred(lambda: results.unsaved, heard=progress.stopping)
    large = in_files(job.folder.path if job.memory.disk_mb else None)
    with folder_lock(job.folder.path), large, waiting as signalled:

        def stop_if_asked(step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
            number = signalled() or stopped()
            if number:
                raise KeyboardInterrupt(number)

        try:
            _clear(job, results)
            if job.memory.disk_mb:
                words = "the memory is short: what is large goes into files beside the result"
                progress.tell(f"{words}, about {job.memory.disk_mb} MB, until the run ends")
            listeners = [results.follow, progress.follow, live.follow, *on_step, stop_if_asked]
            image = _stylize(job, network, results, progress, listeners)
            results.finish(image)
            live.show(image)
            progress.end(job.folder.report if job.request.report else None)
        except AtOnce as error:
            raise AtOnce(error.args[0], results.unsaved) from None
        except KeyboardInterrupt as error:
            raise _stopped(error, results) from None
    return job.folder.output


def _clear(job: Job, results: Results) -> None:
    """Remove the files of an earlier run, unless it is resumed, and write the first checkpoint. Raises UserError."""
    job.check_overwrite()  # Another run may have ended since.
    job.folder.remove_leftovers()
    if not job.checkpoint:
        job.folder.remove_checkpoint()
        results.write_checkpoint()


def _stylize(
    job: Job, network: Network, results: Results, progress: Progress, listeners: Sequence[OnStep]
) -> np.ndarray:
    """Return the finished picture. Raises RunError where that cannot be, the picture so far saved."""
    from tensorflow.errors import ResourceExhaustedError

    from nst.transfer.stylize import stylize

    def estimated(seconds: float) -> None:
        progress.estimate(seconds, job.memory.memory_mb, results.record.computed_on)

    def in_tiles(side_px: int) -> None:
        progress.tell(f"out of memory; the run goes on in tiles of {side_px} px, with the same result")

    progress.phase("preparing the first step")
    try:
        return stylize(
            job.inputs,
            network,
            job.scales,
            tile_px=job.memory.tile_px,
            on_step=listeners,
            on_estimate=estimated,
            on_tiles=in_tiles,
            resume=job.checkpoint.state if job.checkpoint else None,
            clock=lambda: results.seconds,
        )
    except (RunError, ResourceExhaustedError, MemoryError) as error:
        words = str(error) if isinstance(error, RunError) else "out of memory; give a smaller --size"
        words = f"{words}; {results.save_so_far(words)}"
        raise RunError(words, job.folder.output if results.picture else None) from error
    except OSError as error:  # The disk has no room for a large array.
        with in_files(None):
            words = f"{os_error_words(error, str(job.folder.path))}; {results.save_so_far()}"
        raise RunError(words, job.folder.output if results.picture else None) from error


def _stopped(error: KeyboardInterrupt, results: Results) -> KeyboardInterrupt:
    """Save the picture so far and return the exception that says so; after another signal meanwhile, that it is not."""
    number = error.args[0] if error.args else signal.SIGINT
    try:
        return Stopped(number, results.save_so_far(), results.output if results.picture else None)
    except KeyboardInterrupt:
        return AtOnce(number, results.unsaved)


def _placed(job: Job) -> Job:
    """Make the folder of a run and return the job, under the next name where a new run has taken the name meanwhile."""
    if job.request.output:
        job.folder.path.mkdir(exist_ok=True)
        return job
    return replace(job, folder=reserved(job.folder.output))
