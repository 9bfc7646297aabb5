"""A clip to make, all of it checked before the long work: frames and masks found and read, output writable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nst.errors import UserError
from nst.pictures.picture_files import Picture, write_picture
from nst.report.progress import Progress
from nst.run.input_files import Digests, find_pictures, input_sha256, read_inputs
from nst.run.job import Job, Kind, plan_job
from nst.run.origin import Origin
from nst.run.request import Request
from nst.system.temporary import temporary_folder
from nst.transfer.inputs import Inputs
from nst.video.clips import Clip, check_frames, find_clip_file, open_clip, result_suffix
from nst.video.flow import opencv
from nst.video.mask_clips import mask_clips, masked, with_stills
from nst.video.store import check_clip_format
from nst.video.times import check_times, selected


def find_clip(request: Request) -> Request:
    """Return a request whose files are found, see find_pictures. Raises UserError."""
    return find_pictures(request, find_clip_file)


def with_frames_folder(request: Request) -> Request:
    """Return a request in which a folder for the result is the result, for the frames."""
    if request.output or not request.folder:
        return request
    folder = request.folder if request.folder.name.strip(".") else request.folder.resolve()
    return replace(request, output=folder, folder=None)


def plan_clip(
    request: Request, origin: Origin, *, dry_run: bool = False, most_mb: float = 0, checked: bool = False
) -> tuple[Clip, Job]:
    """Return the clip and the job, checked; see plan_job. Raises UserError.

    checked  whether all frames have been read already, by the process that shares out the scenes
    """
    opencv()
    check_times(request.settings)
    (content,) = request.paths["content"]
    clip = open_clip(content)
    masks = mask_clips(request.paths)
    for moving in () if checked else (clip, *(mask.clip for mask in masks)):
        check_frames(moving)

    def check(path: Path, *_: object, **__: object) -> None:
        check_clip_format(path, request.settings)

    def read(request: Request) -> tuple[Picture, Inputs, Digests, tuple[str, ...]]:
        frames = selected(clip, request.settings, masks)
        first = next(frames, None)
        if first is None:
            raise UserError(f"{content}: has no frame from --start to --end")
        still = temporary_folder() / f"{content.resolve().stem}.png"
        write_picture(still, first.image)
        paths = with_stills({**request.paths, "content": (still,)}, masks)
        photo, inputs, digests, notes = read_inputs(replace(request, paths=paths))
        for _ in frames if masks and not checked else ():  # A mask that is too short is told now.
            pass
        roles = {mask.role for mask in masks} | {"content"}
        found = {role: tuple(map(input_sha256, request.paths[role])) for role in request.paths if role in roles}
        return photo, masked(inputs, masks, first.masks), {**digests, **found}, (*clip.notes, *notes)

    kind = Kind(read, check, result_suffix(content), moving=True)
    job = plan_job(request, origin, dry_run=dry_run, most_mb=most_mb, kind=kind)
    _check_no_input_among_frames(job)
    return clip, job


def tell_notes(job: Job, origin: Origin, progress: Progress) -> None:
    """Tell the user's warnings."""
    for line in (*job.notes, *origin.all_warnings()):
        progress.tell(line)


def _check_no_input_among_frames(job: Job) -> None:
    """Raise UserError where the clip is made from files that lie where its own frames would."""
    folder = job.folder.frames
    if job.folder.is_result or not folder.is_dir():
        return
    for path in job.request.inputs():
        if any(folder.samefile(place) for place in (path, path.parent) if place.exists()):
            words = f"is where the frames of this run would be, and holds {path.name}; give another -o"
            raise UserError(f"{folder}: {words}")
