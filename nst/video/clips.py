"""Clips: files of moving pictures, animations, and numbered pictures, read frame by frame.

A frame is an image, float32 sRGB [height, width, 3] in [0, 1], turned upright, with the time at which it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageSequence

from nst.errors import UserError
from nst.pictures.picture_files import read_image
from nst.pictures.resizing import Size
from nst.pictures.transparency import composite_over_white
from nst.places import install_extra
from nst.run.checkpoint import Checkpoint
from nst.run.clip_names import VIDEOS, is_clip_name, is_numbered, is_video_name
from nst.run.input_files import find_picture, frames_of, is_pattern, pictures_of
from nst.run.request import Request

ANIMATIONS = (".gif", ".webp", ".png")
USUAL_SUFFIX = ".mp4"  # Of the clip that numbered pictures become.
USUAL_RATE = Fraction(25)  # Of numbered pictures, in frames a second.
LEAST_GIF_SECONDS = 0.1  # The time of a frame of an animation that gives none, as browsers take it.
HD_LINES = 720  # The height from which a video that does not tell its colour space is in that of HD.
NO_FRAME = "has no frame that can be read; it is damaged or cut short"
UNTOLD, HD_COLORS = 2, "ITU709"  # Colour spaces: the number of FFmpeg, and the name of PyAV.


class Frame(NamedTuple):
    """A frame, the time at which it is shown, in units of Clip.time_base, and the frames of masks that are clips."""

    image: np.ndarray
    time: int
    masks: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Clip:
    """A clip that can be read.

    path       of the file, or the pattern of numbered pictures
    kind       "video", "animation" or "pictures"
    size       of a frame
    count      about the number of frames
    time_base  the seconds of a unit of time
    sound      whether there is sound
    notes      what the user should know of how the clip is read
    """

    path: Path
    kind: str
    size: Size
    count: int
    time_base: Fraction
    sound: bool = False
    notes: tuple[str, ...] = ()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames. Raises UserError where the file is damaged before its first frame; it ends where it is
        damaged later.
        """
        reader = {"video": _video_frames, "animation": _animation_frames, "pictures": _picture_frames}[self.kind]
        return reader(self)


def is_one_clip(content: Path, *, as_clip: bool = False) -> bool:
    """Return whether CONTENT stands for a single clip: numbered pictures, a video, or whatever the user calls a clip.

    A pattern stands for many, each of which is a clip with `as_clip`.
    """
    if is_numbered(content):
        return True
    return not is_pattern(content) and (as_clip or (is_video_name(content) and not content.is_dir()))


def find_clip_file(name: Path) -> Path:
    """Return the path of a clip, or of a mask of one, see find_picture. Numbered pictures are found when it is opened.

    Raises UserError.
    """
    return name if is_numbered(name) else find_picture(name)


def result_suffix(content: Path) -> str:
    """Return the suffix of a clip's result for which the user gave no name: that of the clip."""
    suffix = content.suffix.lower()
    kept = suffix in (*VIDEOS, *ANIMATIONS) and not is_numbered(content) and not content.is_dir()
    return suffix if kept else USUAL_SUFFIX


def poster(path: Path) -> np.ndarray:
    """Return the first frame of a clip, to stand for it. Raises UserError where there is none."""
    first = next(open_clip(path).frames(), None)
    if first is None:
        raise UserError(f"{path}: {NO_FRAME}")
    return first.image


def is_clip(request: Request, checkpoint: Checkpoint | None, *, as_clip: bool = False) -> bool:
    """Return whether a request is for a clip.

    checkpoint  of the run that is resumed, which may have been of a clip
    as_clip     whether the user said so, of an animation or of a folder
    """
    (content,) = request.paths["content"]
    return as_clip or is_clip_name(content) or (content.is_dir() if checkpoint is None else bool(checkpoint.clip))


def av() -> Any:
    """Return PyAV. Raises UserError where it is not installed."""
    try:
        import av as module
    except ImportError as error:
        raise UserError(f"clips: need av (PyAV); {install_extra('video')}") from error
    return module


def open_clip(path: Path) -> Clip:
    """Return a clip. Raises UserError where the file is missing, damaged or no clip."""
    if is_numbered(path) or path.is_dir():
        return _numbered(path)
    if not path.exists():
        raise UserError(f"{path}: no such file")
    return _video(path) if is_video_name(path) else _animation(path)


def check_frames(clip: Clip) -> None:
    """Raise UserError unless all of a clip's pictures can be read and are of one size. A file of a clip is not read."""
    for path in frames_of(clip.path) if clip.kind == "pictures" else ():
        (height, width), (wanted_height, wanted_width) = read_image(path).shape[:2], clip.size
        if (height, width) != clip.size:
            words = f"is of {width}x{height} px, and the frame before it of {wanted_width}x{wanted_height} px"
            raise UserError(f"{path}: {words}; give frames of one size")


def _video(path: Path) -> Clip:
    module = av()
    try:
        with module.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"{path}: has no pictures")
            stream = container.streams.video[0]
            first = next(container.decode(stream), None)
            if first is None:
                raise UserError(f"{path}: {NO_FRAME}")
            height, width = _upright(first).shape[:2]
            seconds = float(stream.duration * stream.time_base) if stream.duration else 0
            count = stream.frames or round(seconds * float(stream.average_rate or USUAL_RATE))
            notes = []
            if getattr(first, "color_trc", 0) in (16, 18):
                notes.append(f"{path}: is in HDR, which is read as if it were not: colours may look flat")
            return Clip(
                path,
                "video",
                (height, width),
                max(1, count),
                Fraction(stream.time_base),
                sound=bool(container.streams.audio),
                notes=tuple(notes),
            )
    except module.FFmpegError as error:
        raise UserError(f"{path}: cannot be read, damaged or no clip: {error.strerror}") from error


def _video_frames(clip: Clip) -> Iterator[Frame]:
    module = av()
    with module.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        last = -1
        try:
            for frame in container.decode(stream):
                time = frame.pts if frame.pts is not None and frame.pts > last else last + 1
                last = time
                yield Frame(_upright(frame), time)
        except module.FFmpegError:  # The rest is damaged; what came before is whole.
            return


def _upright(frame: Any) -> np.ndarray:
    """Return a frame of PyAV as an image."""
    options = {}
    if frame.colorspace == UNTOLD and frame.height >= HD_LINES:
        options["src_colorspace"] = HD_COLORS
    levels = frame.reformat(format="rgb24", **options).to_ndarray()
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(levels, turns)).astype(np.float32) / 255


def _animation(path: Path) -> Clip:
    try:
        with Image.open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            size = picture.height, picture.width
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: cannot be read, damaged or no clip: {error}") from error
    if count < 2:
        raise UserError(f"{path}: is a single picture; leave --as-clip out")
    return Clip(path, "animation", size, count, Fraction(1, 1000))


def _animation_frames(clip: Clip) -> Iterator[Frame]:
    time = 0
    with Image.open(clip.path) as picture:
        for number, frame in enumerate(ImageSequence.Iterator(picture)):
            try:
                levels = np.asarray(frame.convert("RGBA"), np.float32) / 255
            except (OSError, SyntaxError, ValueError) as error:
                if number:  # The rest is damaged; what came before is whole.
                    return
                raise UserError(f"{clip.path}: has no frame that can be read; it is damaged or cut short") from error
            yield Frame(composite_over_white(levels[..., :3], levels[..., 3]), time)
            time += round(frame.info.get("duration") or 1000 * LEAST_GIF_SECONDS)


def _numbered(path: Path) -> Clip:
    files = pictures_of(path) if path.is_dir() else frames_of(path)
    if not files:
        raise UserError(f"{path}: no picture has such a name and number")
    height, width = read_image(files[0]).shape[:2]
    return Clip(path, "pictures", (height, width), len(files), 1 / USUAL_RATE)


def _picture_frames(clip: Clip) -> Iterator[Frame]:
    for number, path in enumerate(frames_of(clip.path)):
        yield Frame(read_image(path), number)
