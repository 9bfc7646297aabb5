"""One clip, from its request to the painted clip."""

from __future__ import annotations

import json
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
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE, STOPPED
from nst.run.checkpoint import Checkpoint, next_due, write_checkpoint
from nst.run.clip_names import stem_of
from nst.run.dry_run import DryRun
from nst.run.input_files import Digests, find_pictures, input_sha256, read_inputs
from nst.run.job import Job, Kind, plan_job
from nst.run.origin import Origin
from nst.run.record import make_record, network_warnings
from nst.run.request import Request
from nst.run.run_picture import load_network, tell_inputs
from nst.system.atomic_files import folder_lock, write_json
from nst.system.signals import NOTHING_DONE, Stopped, deferred, uninterrupted
from nst.system.temporary import temporary_folder
from nst.transfer.inputs import Inputs
from nst.video.clip_state import ClipRun, arrays_of, resumed
from nst.video.clips import USUAL_RATE, Clip, Frame, check_frames, open_clip
from nst.video.flow import opencv
from nst.video.live_clip import OnFrame, showing_frames
from nst.video.mask_clips import MaskClip, find_mask, mask_clips, masked, renewal, with_stills
from nst.video.store import Store, check_clip_format
from nst.video.times import check_times, planned_frames, selected

if TYPE_CHECKING:
    from nst.network.vgg19 import Network
    from nst.video.frames import Maker, Memory

WORK_OF_FRAME = 2.5  # The time of a frame, as a multiple of that of its steps.
SHOWN = 6  # About how many frames the report shows.
FRAMES = "frames"  # The folder of the frames within that of the run.


def find_clip(request: Request) -> Request:
    """Return a request whose files are found, see find_pictures; numbered pictures are when the clip is opened."""
    (content,) = request.paths["content"]
    if content.exists() and not content.is_dir():
        return find_pictures(request, find_mask)
    found = find_pictures(replace(request, paths={**request.paths, "content": request.paths["style"][:1]}), find_mask)
    return replace(found, paths={**found.paths, "content": (content,)})


def with_frames_folder(request: Request) -> Request:
    """Return a request in which a folder for the result is the result, for the frames."""
    if request.output or not request.folder:
        return request
    folder = request.folder if request.folder.name.strip(".") else request.folder.resolve()
    return replace(request, output=folder, folder=None)


def dry_run_clip(request: Request, origin: Origin, progress: Progress) -> DryRun:
    """Check a clip as far as its first frame, and return its plan. Raises UserError."""
    with progress:
        clip, job = _planned(request, origin, progress)
        network, facts = load_network(job, progress)
        tell_inputs(progress, job)
        frames, seconds = _expected(clip, job, network, 0)
    height, width = job.scales[-1].size
    words = f"about {seconds:.0f} s and {job.memory.memory_mb} MB of memory"
    text = "\n".join([str(job.folder.output), f"{width}x{height} px  {frames} frames", words])
    device = f"{facts['device']} in {facts['precision']}"
    return DryRun(job.folder.output, text, seconds, job.memory.memory_mb, device)


def run_clip(request: Request, origin: Origin, progress: Progress, *, live: LiveView | None = None) -> Path:
    """Make the clip and return its path. Ctrl-C and SIGTERM first save the clip so far.

    live  shows the frames that are done to browsers

    Raises UserError for a mistake found before the first frame, and RunError where the clip cannot be written.
    """
    with progress:
        progress.phase("reading the clip")
        clip, job = _planned(request, origin, progress)
        started = time.monotonic() - (job.checkpoint.seconds if job.checkpoint else 0)
        network, facts = load_network(job, progress)
        for line in network_warnings(job.record, facts) if job.record else []:
            progress.tell(line)
        tell_inputs(progress, job)
        from nst.video.frames import Maker, Memory

        record = make_record(request, job.folder.output, job.digests, facts)
        comment = json.dumps(record.as_json())
        store = Store(job.folder.path / FRAMES, job.folder.output, clip, job.settings, comment)
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
                job.folder.remove_frames()
                _write_checkpoint(run, memory)
            _tell_estimate(run, network, memory.number)
            with showing_frames(run, live or LiveView(), memory.number) as follow:
                number = _made(run, maker, memory, signalled, follow)
                return _end(run, memory, number)


def _planned(request: Request, origin: Origin, progress: Progress) -> tuple[Clip, Job]:
    """Return the clip and the job, checked, having told the user's warnings. Raises UserError."""
    opencv()
    clip, job = plan_clip(request, origin)
    for line in (*clip.notes, *job.notes, *origin.all_warnings()):
        progress.tell(line)
    return clip, job


def plan_clip(request: Request, origin: Origin) -> tuple[Clip, Job]:
    """Return the clip and the job, checked. Raises UserError."""
    check_times(request.settings)
    (content,) = request.paths["content"]
    clip = open_clip(content)
    check_frames(clip)
    masks = mask_clips(request.paths)
    for mask in masks:
        check_frames(mask.clip)
    suffix = content.suffix.lower() if clip.kind != "pictures" else ".mp4"

    def check(path: Path, *_: object, **__: object) -> None:
        check_clip_format(path, request.settings)

    def read(request: Request) -> tuple[Picture, Inputs, Digests, tuple[str, ...]]:
        frames = selected(clip, request.settings, masks)
        first = next(frames, None)
        if first is None:
            raise UserError(f"{content}: has no frame from --start to --end")
        still = temporary_folder() / f"{content.stem}.png"
        write_picture(still, first.image)
        paths = with_stills({**request.paths, "content": (still,)}, masks)
        photo, inputs, digests, notes = read_inputs(replace(request, paths=paths))
        for _ in frames if masks else ():  # A mask that is too short is told now.
            pass
        moving = {mask.role for mask in masks} | {"content"}
        found = {role: tuple(map(input_sha256, request.paths[role])) for role in request.paths if role in moving}
        return photo, masked(inputs, masks, first.masks), {**digests, **found}, notes

    job = plan_job(request, origin, kind=Kind(read, check, suffix))
    _check_no_input_in(job.folder.path / FRAMES, job)
    return clip, job


def _check_no_input_in(folder: Path, job: Job) -> None:
    """Raise UserError where the clip is made from files that lie where its own frames would."""
    for path in job.request.inputs():
        if (
            folder.is_dir()
            and not job.folder.is_result
            and any(folder.samefile(p) for p in (path, path.parent) if p.exists())
        ):
            raise UserError(
                f"{folder}: is where the frames of this run would be, and holds {path.name}; give another -o"
            )


def _tell_estimate(run: ClipRun, network: Network, done: int) -> None:
    run.progress.phase("estimating the time")
    frames, seconds = _expected(run.clip, run.job, network, done)
    run.every = max(1, frames // SHOWN)
    run.progress.begin_frames(max(frames, done), done=done)
    run.progress.estimate(seconds, run.job.memory.memory_mb, run.record.computed_on)
    run.progress.phase("making the first frame")


def _expected(clip: Clip, job: Job, network: Network, done: int) -> tuple[int, float]:
    """Return about how many frames there are, and how many seconds those that are not done take."""
    from nst.transfer.estimate import estimated_seconds

    frames = planned_frames(clip, job.settings, _seconds_per_frame(clip))
    last = [replace(job.scales[-1], steps=job.settings.frame_steps)]
    with uninterrupted():
        whole = estimated_seconds(network, job.inputs, job.scales, job.memory.tile_px)
        each = WORK_OF_FRAME * estimated_seconds(network, job.inputs, last, job.memory.tile_px)
    return frames, (0 if done else whole) + each * max(0, frames - done - (0 if done else 1))


def _made(run: ClipRun, maker: Maker, memory: Memory, signalled: Callable[[], int], follow: OnFrame) -> int:
    """Make all frames as _make_frames does. Raises RunError, the run kept, where a file cannot be read or written."""
    try:
        return _make_frames(run, maker, memory, signalled, follow)
    except UserError as error:
        _write_checkpoint(run, memory)
        raise RunError(f"{error}; {_way_on(run)}") from error
    except OSError as error:
        raise RunError(f"{os_error_words(error)}; {_way_on(run)}") from error


def _make_frames(run: ClipRun, maker: Maker, memory: Memory, signalled: Callable[[], int], follow: OnFrame) -> int:
    """Make all frames that are not done; return the number of a signal that came, or 0."""
    before: Frame | None = None
    for number, frame in enumerate(selected(run.clip, run.job.settings, run.masks)):
        earlier, before = before, frame
        if number < memory.number:
            continue
        image = _for_frame(maker, run.masks, frame, earlier).make(memory, frame.image)
        run.lot.append(run.store.kept(image))
        run.times.append(frame.time)
        if number % run.every == 0 and len(run.shown) < 2 * SHOWN:
            run.shown.append((number + 1, levels_of(resize(frame.image, image.shape[:2])), levels_of(image)))
        if len(run.lot) >= run.store.lot:
            _write_lot(run, memory.number)
        run.progress.follow_frame(image.shape[:2])
        follow(frame, image)
        if signalled():
            return signalled()
        if time.monotonic() >= run.due:
            _write_checkpoint(run, memory)
    return 0


def _for_frame(maker: Maker, masks: Sequence[MaskClip], frame: Frame, before: Frame | None) -> Maker:
    """Return the maker of a frame, whose masks may be clips."""
    if not masks:
        return maker
    renew = renewal(frame.masks, before.masks if before else frame.masks)
    return replace(maker, inputs=masked(maker.inputs, masks, frame.masks), renew=renew)


def _write_lot(run: ClipRun, done: int) -> None:
    first = done - len(run.lot)
    run.store.write_lot(first, run.lot, run.times[first:done])
    run.lot.clear()


def _end(run: ClipRun, memory: Memory, number: int) -> Path:
    """Write the clip so far, or all of it. Raises Stopped after a signal, and RunError where it cannot be written."""
    output = run.job.folder.output
    if number:
        _write_checkpoint(run, memory)
    try:
        times = [*run.times, run.times[-1] + round(_typical(run.times, run.clip))]
        for line in run.store.finish(run.lot, memory.number - len(run.lot), times):
            run.progress.tell(line)
    except OSError as error:
        raise RunError(f"{os_error_words(error, str(output))}; {_way_on(run)}") from error
    state = STOPPED if number else DONE
    facts = {"state": state, "frames": memory.number, "seconds": run.seconds}
    write_json(run.job.folder.settings, {**run.record.as_json(), **facts})
    if run.job.request.report:
        _write_page(run, state, memory.number)
    if number:
        raise Stopped(number, f"{output} is the clip so far; {_way_on(run)}", output)
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


def _write_checkpoint(run: ClipRun, memory: Memory) -> None:
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
