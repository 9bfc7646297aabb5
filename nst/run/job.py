"""One picture: names -> checked job -> pictures in -> stylize -> picture and reports out."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst.errors import RunError, UserError
from nst.network.loaded import network_of
from nst.network.tensorflow_setup import start_tensorflow
from nst.pictures.picture_files import Picture, check_format, over_white
from nst.report.costs import plotting
from nst.report.live_view import LiveView
from nst.report.pages import check_engine
from nst.report.progress import Progress
from nst.report.sources import Named, Sources
from nst.run.checkpoint import Checkpoint, check_state, has_checkpoint, read_checkpoint, remove_checkpoint
from nst.run.folder import default_output, first_free, remove_leftovers, reserved, result_name, snapshot_name
from nst.run.input_files import Paths, check_same_inputs, find_pictures, located_inputs, read_inputs
from nst.run.memory_plan import memory_mb, plan_tile, sizes_of_run
from nst.run.record import is_begun, make_record
from nst.run.results import Results
from nst.settings import Settings
from nst.system.atomic_files import check_writable, folder_lock
from nst.system.signals import AtOnce, Stopped, deferred
from nst.transfer.inputs import Inputs, check_counts
from nst.transfer.scales import Scale, plan_scales
from nst.transfer.state import OnStep, State, Step

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Job:
    """One picture to make, all of it checked: inputs read, output writable, sizes planned.

    tile_px    the side of tiles, in which larger pictures are computed
    named      whether the user has named the output; else another name may be taken when the run starts
    overwrite  whether a result that is there may be replaced
    resume     where an earlier run of it has stopped
    """

    paths: Paths
    content: Picture
    inputs: Inputs
    output: Path
    scales: list[Scale]
    tile_px: int
    plot: bool = False
    named: bool = True
    overwrite: bool = False
    resume: Checkpoint | None = None
    report: bool = True

    @property
    def settings(self) -> Settings:
        """Return the settings of the run."""
        return self.inputs.settings

    @property
    def folder(self) -> Path:
        """Return where snapshots, costs and settings of this run go."""
        return self.output.with_suffix("")


def plan_job(
    content: str,
    styles: Sequence[str],
    settings: Settings,
    *,
    output: str | None = None,
    overwrite: bool = False,
    plot: bool = False,
    report: bool = True,
    resume: Checkpoint | None = None,
    dry_run: bool = False,
) -> Job:
    """Check all that can be checked before the long work and return the job. Raises UserError.

    styles   pictures, or folders of them
    resume   what the run goes on from, which gave its `output`
    dry_run  whether not even a folder for the result is made
    """
    if plot:
        plotting()
    if report:
        check_engine()
    paths = find_pictures(content, styles, settings)
    result = Path(output) if output else first_free(default_output(f"{result_name(paths)}.png"))
    check_format(result, bit_depth=settings.bit_depth)
    check_counts(len(paths["style"]), settings)
    photo, inputs = read_inputs(paths, settings)
    scales = plan_scales(photo.image.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    check_format(result, scales[-1].size, bit_depth=settings.bit_depth)
    tile_px = plan_tile(sizes_of_run(inputs), settings)
    job = Job(paths, photo, inputs, result, scales, tile_px, plot, output is not None, overwrite, resume, report)
    check_writable(result, dry_run=dry_run)
    if job.folder.exists() and not job.folder.is_dir():
        raise UserError(f"{job.folder}: is a file, where the folder of this run would be; give another -o")
    if resume:
        check_same_inputs(job.folder, resume.inputs, paths)
        check_state(job.folder, resume.state, scales)
    _refuse_existing(job)
    return job


def _refuse_existing(job: Job) -> None:
    """Raise UserError where a result is already, or a run that was stopped, which the job is not to replace."""
    if job.overwrite or job.resume:
        return
    if has_checkpoint(job.folder):
        raise UserError(
            f"{job.folder}: holds a run that was stopped; give --resume {job.folder} to go on with it, "
            "--overwrite to start anew, or another -o"
        )
    if job.output.exists():
        raise UserError(f"{job.output}: exists already; give --overwrite to replace it, or another -o")


def run_job(
    job: Job,
    *,
    verbose: bool = False,
    progress: Progress | None = None,
    live: LiveView | None = None,
    stopped: Callable[[], int] = lambda: 0,
    on_step: Sequence[OnStep] = (),
) -> Path:
    """Make the picture and return its path. Ctrl-C and SIGTERM, as KeyboardInterrupt, first save what there is.

    progress  what shows it; a bar or lines on stderr if None
    live      what shows it to browsers
    stopped   returns the number of a signal that came elsewhere, or 0
    on_step   more listeners, after those of the run itself

    Raises RunError where numbers get out of hand, or where the picture had to be saved elsewhere.
    """
    started = time.monotonic()
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from tensorflow.errors import ResourceExhaustedError

    from nst.transfer.stylize import stylize

    network, facts = network_of(job.settings)
    check_weights(job, facts)
    job = _placed(job)
    resume = job.resume or Checkpoint({}, {})
    progress = progress or Progress(job.scales, done=len(resume.steps))
    live, sources, steps = live or LiveView(), _sources(job), list(resume.steps)
    with (
        folder_lock(job.folder),
        deferred() as signalled,
        progress,
        live.showing(sources, steps, seconds_left=lambda: progress.seconds_left),
    ):
        results = Results(
            job.output,
            job.content,
            job.scales[-1].size,
            job.settings,
            make_record(job.paths, job.settings, job.output.name, facts),
            located_inputs(job.paths, job.settings),
            job.plot,
            progress.tell,
            started - resume.seconds,
            steps,
            sources if job.report else None,
            progress.told,
            [(step, path) for step in resume.steps if (path := job.folder / snapshot_name(step)).exists()],
        )

        def stop_if_asked(step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
            number = signalled() or stopped()
            if number:
                raise KeyboardInterrupt(number)

        try:
            _refuse_existing(job)  # as another run may have ended since
            remove_leftovers(job.output)
            if not job.resume:
                remove_checkpoint(job.folder)
                results.write_checkpoint()
            try:
                image = stylize(
                    job.inputs,
                    network,
                    tile_px=job.tile_px,
                    on_step=[results.follow, progress.follow, live.follow, *on_step, stop_if_asked],
                    on_estimate=lambda seconds: progress.estimate(seconds, memory_of(job)),
                    resume=resume.state,
                    clock=lambda: results.seconds,
                )
            except (RunError, ResourceExhaustedError, MemoryError) as error:
                words = str(error) if isinstance(error, RunError) else "out of memory; give a smaller --size"
                words = f"{words}; {results.save_so_far(words)}"
                raise RunError(words, job.output if results.picture else None) from error
            live.show(image)
            results.finish(image)
        except AtOnce as error:
            raise AtOnce(error.args[0], _unsaved(results)) from None
        except KeyboardInterrupt as error:
            raise _stopped(error, results) from None
    return job.output


def _stopped(error: KeyboardInterrupt, results: Results) -> KeyboardInterrupt:
    """Save what there is and return what says so; or, after another signal meanwhile, what says that it is not."""
    number = error.args[0] if error.args else signal.SIGINT
    try:
        return Stopped(number, results.save_so_far(), results.output if results.picture else None)
    except KeyboardInterrupt:
        return AtOnce(number, _unsaved(results))


def _unsaved(results: Results) -> str:
    return "; ".join(filter(None, ["the picture so far is not saved", results.way_on]))


def _placed(job: Job) -> Job:
    """Make the folder of a run and return the job, with another name where a new run has taken it meanwhile."""
    if job.named:
        job.folder.mkdir(exist_ok=True)
        return job
    return replace(job, output=reserved(job.output))


def _sources(job: Job) -> Sources:
    """Return what the report shows of a job."""
    styles = zip(job.paths["style"], job.inputs.styles, strict=True)
    return Sources(
        Named(job.paths["content"][0].name, over_white(job.content)),
        tuple(Named(path.name, image) for path, image in styles),
        sum(scale.steps for scale in job.scales),
    )


def memory_of(job: Job) -> int:
    """Return about how many megabytes a run takes."""
    return memory_mb(sizes_of_run(job.inputs), job.tile_px)


def check_weights(job: Job, facts: dict[str, Any]) -> None:
    """Raise UserError where a run would go on with other weights than it began with."""
    if job.resume and job.resume.record["weights_sha256"] != facts["weights_sha256"]:
        raise UserError(f"{job.folder}: was begun with other weights; give them with --weights, or start the run anew")


def begun_before(job: Job) -> Path | None:
    """Return the folder of a run that was stopped, where a new one of the same inputs and settings starts beside it."""
    folder = default_output(result_name(job.paths))
    if job.named or job.resume or not has_checkpoint(folder):
        return None
    try:
        checkpoint, _ = read_checkpoint(folder)
    except UserError:
        return None
    return folder if is_begun(checkpoint, job.paths, job.settings) else None
