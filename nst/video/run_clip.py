"""One clip, from its request to the painted clip."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nst.errors import RunError, UserError, os_error_words
from nst.pictures.picture_files import levels_of
from nst.pictures.resizing import resize
from nst.report.clip_page import PaintedClip, write_clip_page
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE, STOPPED
from nst.run.checkpoint import Checkpoint, next_due, write_checkpoint
from nst.run.clip_names import stem_of
from nst.run.dry_run import DryRun, expected_words
from nst.run.job import Job
from nst.run.memory_plan import has_outgrown
from nst.run.origin import Origin
from nst.run.record import make_record, network_warnings
from nst.run.request import Request
from nst.run.run_picture import OutgrownError, load_network, tell_inputs
from nst.system.atomic_files import folder_lock, write_json
from nst.system.signals import NOTHING_DONE, Stopped, deferred, uninterrupted
from nst.video.clip_state import ClipRun, arrays_of, resumed
from nst.video.clips import USUAL_RATE, Clip, Frame
from nst.video.live_clip import OnFrame, showing_frames
from nst.video.mask_clips import MaskClip, masked, renewal
from nst.video.plan_clip import plan_clip, tell_notes
from nst.video.store import Store
from nst.video.times import planned_frames, selected

if TYPE_CHECKING:
    from nst.network.vgg19 import Network
    from nst.video.frames import Maker, Memory

WORK_OF_FRAME = 2.5  # The time of a frame, as a multiple of that of its steps.
OUT_OF_MEMORY = "out of memory; give a smaller --tile, such as 512, or a smaller --size"
SHOWN_FRAMES = 6  # About how many frames the report shows.


def dry_run_clip(request: Request, origin: Origin, progress: Progress) -> DryRun:
    """Check a clip as far as its first frame, and return its plan. Raises UserError."""
    with progress:
        clip, job = plan_clip(request, origin, dry_run=True)
        tell_notes(job, origin, progress)
        network, facts = load_network(job, progress)
        tell_inputs(progress, job)
        frames, seconds = _expected(clip, job, network, 0)
    height, width = job.scales[-1].size
    words = [str(job.folder.output), f"{width}x{height} px  {frames} frames", expected_words(seconds, job)]
    device = f"{facts['device']} in {facts['precision']}"
    return DryRun(job.folder.output, "\n".join(words), seconds, job.memory.memory_mb, device)


def run_clip(
    request: Request,
    origin: Origin,
    progress: Progress,
    *,
    live: LiveView | None = None,
    stopped: Callable[[], int] = lambda: 0,
    most_mb: float = 0,
    renewable: bool = False,
) -> Path:
    """Make the clip and return its path. Ctrl-C and SIGTERM first save the clip so far.

    live       shows the frames that are done to browsers
    stopped    returns the number of a signal that came elsewhere, or 0
    most_mb    see plan_job
    renewable  whether to raise OutgrownError where earlier runs have left this process too little memory

    Raises UserError for a mistake found before the first frame, and RunError where a frame cannot be read or made, or
    the clip cannot be written.
    """
    with progress:
        progress.phase("reading the clip")
        clip, job = plan_clip(request, origin, most_mb=most_mb)
        tell_notes(job, origin, progress)
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
            job.check_overwrite()  # Another run may have ended since.
            if not memory.number:
                job.folder.remove_checkpoint()
                store.remove()
                job.folder.remove_frames()
                job.folder.remove_scenes()
                save_state(run, memory)
            _tell_estimate(run, network, memory.number)
            with showing_frames(run, live or LiveView(), memory.number) as follow:
                with keeping(run, memory, lambda: _way_on(run)):
                    number = make_frames(run, maker, memory, lambda: signalled() or stopped(), follow=follow)
                if number:
                    save_state(run, memory)
                return finish_clip(run, memory.number, number, run.job.folder.way_on)


def _tell_estimate(run: ClipRun, network: Network, done: int) -> None:
    run.progress.phase("estimating the time")
    frames, seconds = _expected(run.clip, run.job, network, done)
    run.every = max(1, frames // SHOWN_FRAMES)
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


@contextmanager
def keeping(run: ClipRun, memory: Memory, way_on: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Keep the run where a frame cannot be read, made or written, and raise a RunError of that.

    way_on  returns the words on how to go on
    """
    from tensorflow.errors import ResourceExhaustedError

    try:
        yield
    except (UserError, RunError, ResourceExhaustedError, MemoryError) as error:
        words = str(error) if isinstance(error, (UserError, RunError)) else OUT_OF_MEMORY
        save_state(run, memory)
        raise RunError("; ".join(filter(None, [words, way_on()]))) from error
    except OSError as error:  # Of a full disk, say: the last checkpoint stays.
        raise RunError("; ".join(filter(None, [os_error_words(error), way_on()]))) from error


def make_frames(
    run: ClipRun,
    maker: Maker,
    memory: Memory,
    signalled: Callable[[], int],
    *,
    follow: OnFrame = lambda frame, picture: None,
    end: int | None = None,
) -> int:
    """Make all frames that are not done, up to the frame `end`; return the number of a signal that came, or 0."""
    before: Frame | None = None
    for number, frame in enumerate(islice(selected(run.clip, run.job.settings, run.masks), end)):
        earlier, before = before, frame
        if number < memory.number:
            continue
        image = _for_frame(maker, run.masks, frame, earlier).make(memory, frame.image)
        if run.lot and memory.begun == number:  # A lot ends with its scene, as scenes may be made side by side.
            write_lot(run, number)
        run.lot.append(run.store.kept(image))
        run.times.append(frame.time)
        if number % run.every == 0 and len(run.shown) < 2 * SHOWN_FRAMES:
            run.shown.append((number + 1, levels_of(resize(frame.image, image.shape[:2])), levels_of(image)))
        if len(run.lot) >= run.store.lot:
            write_lot(run, memory.number)
        run.progress.follow_frame(image.shape[:2])
        follow(frame, image)
        if signalled():
            return signalled()
        if time.monotonic() >= run.due:
            save_state(run, memory)
    return 0


def _for_frame(maker: Maker, masks: Sequence[MaskClip], frame: Frame, before: Frame | None) -> Maker:
    """Return the maker of a frame, whose masks may be clips."""
    if not masks:
        return maker
    renew = renewal(frame.masks, before.masks if before else frame.masks)
    return replace(maker, inputs=masked(maker.inputs, masks, frame.masks), renew=renew)


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
        stem_of(run.clip.path),
        tuple(path.stem for path in paths["style"]),
        job.folder.output.name,
        state,
        frames,
        run.seconds,
        unit,
        run.record.as_json(),
        tuple(run.progress.told),
        as_clip=run.clip.kind == "animation",
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
