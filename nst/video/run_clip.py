"""One clip, from its request to the painted clip."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nst.errors import RunError, UserError, os_error_words
from nst.pictures.picture_files import Picture, levels_of, write_picture
from nst.pictures.resizing import resize
from nst.report.clip_page import PaintedClip, write_clip_page
from nst.report.progress import Progress
from nst.report.status import DONE, STOPPED
from nst.run.checkpoint import Checkpoint, next_due, write_checkpoint
from nst.run.dry_run import DryRun
from nst.run.input_files import Digests, find_pictures, read_inputs
from nst.run.job import Job, Kind, plan_job
from nst.run.memory_plan import has_outgrown
from nst.run.origin import Origin
from nst.run.record import make_record, network_warnings
from nst.run.request import Request
from nst.run.run_picture import OutgrownError, load_network, tell_inputs
from nst.system.atomic_files import file_sha256, folder_lock, write_json
from nst.system.signals import NOTHING_DONE, Stopped, deferred, uninterrupted
from nst.system.temporary import temporary_folder
from nst.transfer.inputs import Inputs
from nst.video.clip_state import ClipRun, arrays_of, resumed
from nst.video.clips import USUAL_RATE, Clip, numbered_files, open_clip, result_suffix
from nst.video.flow import opencv
from nst.video.store import LOT, Store, check_clip_format
from nst.video.times import check_times, planned_frames, selected

if TYPE_CHECKING:
    from nst.network.vgg19 import Network
    from nst.video.frames import Maker, Memory

WORK_OF_FRAME = 2.5  # The time of a frame, as a multiple of that of its steps.
SHOWN = 6  # About how many frames the report shows.


def find_clip(request: Request) -> Request:
    """Return a request whose files are found, see find_pictures; numbered pictures are when the clip is opened."""
    (content,) = request.paths["content"]
    if content.exists() and not content.is_dir():
        return find_pictures(request)
    found = find_pictures(replace(request, paths={**request.paths, "content": request.paths["style"][:1]}))
    return replace(found, paths={**found.paths, "content": (content,)})


def dry_run_clip(request: Request, origin: Origin, progress: Progress) -> DryRun:
    """Check a clip as far as its first frame, and return its plan. Raises UserError."""
    with progress:
        clip, job = planned(request, origin, progress, dry_run=True)
        network, facts = load_network(job, progress)
        tell_inputs(progress, job)
        frames, seconds = _expected(clip, job, network, 0)
    height, width = job.scales[-1].size
    words = f"about {seconds:.0f} s and {job.memory.memory_mb} MB of memory"
    text = "\n".join([str(job.folder.output), f"{width}x{height} px  {frames} frames", words])
    device = f"{facts['device']} in {facts['precision']}"
    return DryRun(job.folder.output, text, seconds, job.memory.memory_mb, device)


def run_clip(
    request: Request,
    origin: Origin,
    progress: Progress,
    *,
    stopped: Callable[[], int] = lambda: 0,
    most_mb: float = 0,
    renewable: bool = False,
) -> Path:
    """Make the clip and return its path. Ctrl-C and SIGTERM first save the clip so far.

    stopped    returns the number of a signal that came elsewhere, or 0
    most_mb    see plan_job
    renewable  whether to raise OutgrownError where earlier runs have left this process too little memory

    Raises UserError for a mistake found before the first frame, and RunError where the clip cannot be written.
    """
    with progress:
        progress.phase("reading the clip")
        clip, job = planned(request, origin, progress, most_mb=most_mb)
        if renewable and has_outgrown(job.memory, job.settings, most_mb):
            raise OutgrownError
        started = time.monotonic() - (job.checkpoint.seconds if job.checkpoint else 0)
        network, facts = load_network(job, progress)
        for line in network_warnings(job.record, facts) if job.record else []:
            progress.tell(line)
        tell_inputs(progress, job)
        from nst.video.frames import Maker, Memory

        record = make_record(request, job.folder.output, job.digests, facts)
        comment = json.dumps(record.as_json())
        store = Store(job.folder.frames, job.folder.output, clip, job.settings, comment)
        run = ClipRun(job, store, record, progress, started)
        memory = Memory()
        if job.checkpoint and job.checkpoint.clip:
            memory = resumed(run, job.checkpoint.clip)
        maker = Maker(network, job.inputs, job.scales, job.memory.tile_px)
        job.folder.path.mkdir(parents=True, exist_ok=True)
        with folder_lock(job.folder.path), deferred(lambda: _way_on(run), heard=progress.stopping) as signalled:
            job.folder.remove_leftovers()
            if not memory.number:
                store.remove()
                shutil.rmtree(job.folder.scenes, ignore_errors=True)
                save_state(run, memory)
            _tell_estimate(run, network, memory.number)
            number = make_frames(run, maker, memory, lambda: signalled() or stopped())
            if number:
                save_state(run, memory)
            return finish_clip(run, memory.number, number, run.job.folder.way_on)


def planned(
    request: Request, origin: Origin, progress: Progress, *, dry_run: bool = False, most_mb: float = 0
) -> tuple[Clip, Job]:
    """Return the clip and the job, checked, having told the user's warnings. Raises UserError."""
    clip, job = plan_clip(request, origin, dry_run=dry_run, most_mb=most_mb)
    for line in (*clip.notes, *job.notes, *origin.all_warnings()):
        progress.tell(line)
    return clip, job


def plan_clip(request: Request, origin: Origin, *, dry_run: bool = False, most_mb: float = 0) -> tuple[Clip, Job]:
    """Return the clip and the job, checked; see plan_job. Raises UserError."""
    opencv()
    check_times(request.settings)
    (content,) = request.paths["content"]
    clip = open_clip(content)

    def check(path: Path, *_: object, **__: object) -> None:
        check_clip_format(path, request.settings)

    def read(request: Request) -> tuple[Picture, Inputs, Digests, tuple[str, ...]]:
        first = next(selected(clip, request.settings), None)
        if first is None:
            raise UserError(f"{content}: has no frame from --start to --end")
        still = temporary_folder() / f"{content.stem}.png"
        write_picture(still, first.image)
        photo, inputs, digests, notes = read_inputs(replace(request, paths={**request.paths, "content": (still,)}))
        files = numbered_files(content) if clip.kind == "pictures" else [content]
        return photo, inputs, {**digests, "content": (file_sha256(files[0]),)}, notes

    kind = Kind(read, check, result_suffix(content))
    return clip, plan_job(request, origin, dry_run=dry_run, most_mb=most_mb, kind=kind)


def _tell_estimate(run: ClipRun, network: Network, done: int) -> None:
    run.progress.phase("estimating the time")
    frames, seconds = _expected(run.clip, run.job, network, done)
    run.every = max(1, frames // SHOWN)
    run.progress.begin_frames(max(frames, done), done=done)
    run.progress.estimate(seconds, run.job.memory.memory_mb, run.record.computed_on)
    run.progress.phase("making the first frame")


def _expected(clip: Clip, job: Job, network: Network, done: int) -> tuple[int, float]:
    """Return about how many frames there are, and how many seconds those that are not done take."""
    frames = planned_frames(clip, job.settings, _seconds_per_frame(clip))
    whole, each = seconds_of_frames(job, network)
    return frames, (0 if done else whole) + each * max(0, frames - done - (0 if done else 1))


def seconds_of_frames(job: Job, network: Network) -> tuple[float, float]:
    """Return about how many seconds the first frame of a scene takes, and each other frame."""
    from nst.transfer.estimate import estimated_seconds

    last = [replace(job.scales[-1], steps=job.settings.frame_steps)]
    with uninterrupted():
        whole = estimated_seconds(network, job.inputs, job.scales, job.memory.tile_px)
        each = WORK_OF_FRAME * estimated_seconds(network, job.inputs, last, job.memory.tile_px)
    return whole, each


def make_frames(
    run: ClipRun, maker: Maker, memory: Memory, signalled: Callable[[], int], end: int | None = None
) -> int:
    """Make all frames that are not done, up to the frame `end`; return the number of a signal that came, or 0."""
    for number, frame in enumerate(islice(selected(run.clip, run.job.settings), end)):
        if number < memory.number:
            continue
        image = maker.make(memory, frame.image)
        if run.lot and memory.begun == number:  # A lot ends with its scene, as scenes may be made side by side.
            write_lot(run, number)
        run.lot.append(levels_of(image))
        run.times.append(frame.time)
        if number % run.every == 0 and len(run.shown) < 2 * SHOWN:
            run.shown.append((number + 1, levels_of(resize(frame.image, image.shape[:2])), run.lot[-1]))
        if len(run.lot) == LOT:
            write_lot(run, memory.number)
        run.progress.follow_frame(image.shape[:2])
        if signalled():
            return signalled()
        if time.monotonic() >= run.due:
            save_state(run, memory)
    return 0


def write_lot(run: ClipRun, done: int) -> None:
    """Write the open lot, when so many frames are done. Raises OSError."""
    first = done - len(run.lot)
    run.store.write_lot(first, run.lot, run.times[first:done])
    run.lot.clear()


def finish_clip(run: ClipRun, frames: int, number: int, way_on: str) -> Path:
    """Write the clip of the frames that are done, and return its path.

    number  of the signal that stopped the run, or 0
    way_on  the words with the command to go on with

    Raises Stopped after a signal, and RunError where the clip cannot be written.
    """
    output = run.job.folder.output
    way_on = way_on or NOTHING_DONE
    try:
        times = [*run.times, run.times[-1] + round(_typical(run.times, run.clip))]
        for line in run.store.finish(run.lot, frames - len(run.lot), times):
            run.progress.tell(line)
    except OSError as error:
        raise RunError(f"{os_error_words(error, str(output))}; {way_on}") from error
    state = STOPPED if number else DONE
    facts = {"state": state, "frames": frames, "seconds": run.seconds}
    write_json(run.job.folder.settings, {**run.record.as_json(), **facts})
    if run.job.request.report:
        _write_page(run, state, frames)
    if number:
        raise Stopped(number, f"{output} is the clip so far; {way_on}", output)
    run.job.folder.remove_checkpoint()
    if not run.job.settings.keep_frames:
        run.store.remove()
    return output


def _write_page(run: ClipRun, state: str, frames: int) -> None:
    """Write the report; a page that cannot be written is told and costs no clip."""
    job = run.job
    paths = job.request.paths
    unit = [(number, frame / np.float32(255), picture / np.float32(255)) for number, frame, picture in run.shown]
    page = PaintedClip(
        Path(run.clip.path).stem,
        tuple(path.stem for path in paths["style"]),
        job.folder.output.name,
        state,
        frames,
        run.seconds,
        unit,
        run.record.as_json(),
        tuple(run.progress.told),
    )
    try:
        write_clip_page(job.folder.report, page)
    except OSError as error:
        run.progress.tell(f"{os_error_words(error, job.folder.report.name)}; the clip has no report")
        return
    run.progress.end(job.folder.report)


def _typical(times: Sequence[int], clip: Clip) -> float:
    """Return how long the last frame is shown: as long as a frame in the middle."""
    steps = sorted(after - before for before, after in pairwise(times))
    return steps[len(steps) // 2] if steps else 1 / float(USUAL_RATE * clip.time_base)


def _seconds_per_frame(clip: Clip) -> float:
    """Return how long the first frame of a clip is shown."""
    times = [frame.time for frame in islice(clip.frames(), 2)]
    return float((times[1] - times[0]) * clip.time_base) if len(times) == 2 else 1 / float(USUAL_RATE)


def _way_on(run: ClipRun) -> str:
    return run.job.folder.way_on or NOTHING_DONE


def save_state(run: ClipRun, memory: Memory) -> None:
    """Write all that the next frame depends on, and note when to do so again."""
    every = run.job.settings.checkpoint_every
    if not every:
        run.due = float("inf")
        return
    began = time.monotonic()
    found = Checkpoint(run.record, seconds=run.seconds, clip=arrays_of(run, memory))
    try:
        write_checkpoint(run.job.folder, found)
    except OSError as error:
        run.progress.tell(f"{os_error_words(error, 'checkpoint')}; the run goes on without checkpoints")
        run.due = float("inf")
        return
    run.due = next_due(began, every)
