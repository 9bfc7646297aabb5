"""The pictures of a clip's frames while a run goes on, and the clip made of them at the end.

For a video, lots of frames are written as small closed videos, whose packets are then joined; for anything else, each
frame is a PNG, in its place at once where the result is a folder. What is written is whole: a killed run loses only the
open lot, which is in its checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst.errors import UserError, suggestion
from nst.pictures.picture_files import levels_of, write_picture
from nst.run.clip_names import VIDEOS
from nst.run.folder import RunFolder
from nst.settings import Settings
from nst.system.atomic_files import atomic_write
from nst.video.clips import ANIMATIONS, HD_COLORS, Clip, av

OWN_NAME = re.compile(r"\d{7}\.(mp4|png)|\..*\.part")  # What is written into the folder of the frames.
LOT = 24  # The number of frames of a small video.
CODECS = {"h264": "libx264", "h265": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9", "prores": "prores_ks"}
USUAL_CODECS = {".webm": "vp9"}  # By suffix; else h264.
PIXELS = {"prores": "yuv422p10le"}  # The pixel formats of codecs; else yuv420p.
NOT_IN = {".webm": ("h264", "h265", "prores"), ".mp4": ("prores",)}  # The codecs that a container does not take.


def check_clip_format(path: Path, settings: Settings) -> None:
    """Raise UserError unless the suffix of a result is that of a clip, and the codec goes with it."""
    suffix, known = path.suffix.lower(), (*VIDEOS, *ANIMATIONS)
    if suffix and suffix not in known:
        words = f"{', '.join(known)}, or a folder whose name has no dot"
        raise UserError(f"{path}: a clip is written as {words}{suggestion(suffix, known)}")
    if suffix and settings.bit_depth == 16:
        raise UserError(f"{path}: a clip as {suffix} holds 8 bits a channel, not 16; give a folder for its frames")
    if settings.codec and settings.codec not in CODECS:
        raise UserError(f"--codec {settings.codec}: must be {' or '.join(CODECS)}{suggestion(settings.codec, CODECS)}")
    if settings.codec and settings.codec in NOT_IN.get(suffix, ()):
        raise UserError(f"--codec {settings.codec}: does not go into {suffix}; give another, or another -o")


@dataclass(frozen=True)
class Store:
    """The pictures of a clip's frames in the folder of its run.

    folder    where they are
    output    the clip that they become
    clip      the clip that they are made of
    settings  the codec and its quality
    comment   the record of the run, which a video holds
    """

    folder: Path
    output: Path
    clip: Clip
    settings: Settings
    comment: str = ""

    @property
    def is_folder(self) -> bool:
        """Return whether the frames themselves are the result, in a folder."""
        return RunFolder(self.output).is_result

    @property
    def lot(self) -> int:
        """Return the number of frames that are written together."""
        return 1 if self.is_folder else LOT

    @property
    def is_video(self) -> bool:
        """Return whether lots of frames are written as videos."""
        return self.output.suffix.lower() in VIDEOS

    def kept(self, image: np.ndarray) -> np.ndarray:
        """Return a picture [height, width, 3] in [0, 1] as it is kept until it is written, mostly in levels of 255."""
        return image if self.is_folder and self.settings.bit_depth == 16 else levels_of(image)

    def write_lot(self, first: int, images: Sequence[np.ndarray], times: Sequence[int]) -> None:
        """Write frames, of which the first has that number from 0 on; see kept. Raises OSError."""
        if self.is_folder:
            for number, image in enumerate(images, first + 1):
                write_picture(RunFolder(self.output).frame(number), image, bit_depth=self.settings.bit_depth)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.is_video:
            path = self.folder / f"{first:07d}.mp4"
            with atomic_write(path) as temporary, _plain_errors(path):
                self._encode(temporary, images, times)
            return
        for number, image in enumerate(images, first):
            write_picture(self.folder / f"{number:07d}.png", image)

    def finish(self, images: Sequence[np.ndarray], first: int, times: Sequence[int]) -> list[str]:
        """Write the clip of all lots and of the frames of the open one; return warnings. Raises OSError.

        first  the number of the first frame of the open lot
        times  of all frames, and at the end that of the end
        """
        if images:
            self.write_lot(first, images, times[first : first + len(images)])
        if self.is_video:
            return self._join(times)
        if not self.is_folder:
            self._animate(self._written(".png")[: len(times) - 1], times)
        return []

    def _written(self, suffix: str) -> list[Path]:
        """Return the files of frames or of lots, in their order; a file of the user's is none."""
        return sorted(path for path in self.folder.glob(f"*{suffix}") if OWN_NAME.fullmatch(path.name))

    def remove(self) -> None:
        """Remove the frames, of which a clip has been made, or those of an earlier run."""
        if not self.is_folder:
            remove_frames(self.folder)

    def _encode(self, path: Path, images: Sequence[np.ndarray], times: Sequence[int]) -> None:
        module, codec = av(), self.settings.codec or USUAL_CODECS.get(self.output.suffix.lower(), "h264")
        height, width = images[0].shape[0] // 2 * 2, images[0].shape[1] // 2 * 2  # as yuv420p needs
        container_format = "mov" if codec == "prores" else "mp4"
        with module.open(str(path), "w", format=container_format) as container:
            options = {"crf": str(self.settings.video_quality)} if codec != "prores" else {}
            if codec in ("h264", "h265"):
                options["bf"] = "0"
            stream: Any = container.add_stream(CODECS[codec], options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, PIXELS.get(codec, "yuv420p")
            stream.time_base = stream.codec_context.time_base = self.clip.time_base
            stream.codec_context.color_primaries = stream.codec_context.color_trc = 1
            stream.codec_context.colorspace = 1
            for image, time in zip(images, times, strict=True):
                frame = module.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
                frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=HD_COLORS)
                frame.pts, frame.time_base = time - times[0], self.clip.time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode())

    def _join(self, times: Sequence[int]) -> list[str]:
        """Join the packets of all lots, and the sound of the clip."""
        module, warnings = av(), []
        parts = [part for part in self._written(".mp4") if int(part.stem) < len(times) - 1]
        with atomic_write(self.output) as temporary, _plain_errors(self.output):
            kind = {".mkv": "matroska", ".m4v": "mp4"}.get(self.output.suffix.lower(), self.output.suffix[1:].lower())
            options = {"movflags": "+faststart"} if kind in ("mp4", "mov") else {}
            with module.open(str(temporary), "w", format=kind, options=options) as container:
                container.metadata["comment"] = self.comment
                with module.open(str(parts[0])) as lot:
                    stream = container.add_stream_from_template(lot.streams.video[0])
                sound = None
                if self.clip.sound and self.settings.audio:
                    sound, words = _sound_stream(container, self.clip)
                    warnings += words
                for part in parts:
                    first = int(part.stem)
                    with module.open(str(part)) as lot:
                        own = lot.streams.video[0]
                        for packet in lot.demux(own):
                            if packet.dts is None:
                                continue
                            offset = round((times[first] - times[0]) * self.clip.time_base / own.time_base)
                            packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                            packet.stream = stream
                            container.mux(packet)
                if sound:
                    _copy_sound(container, sound, self.clip, self.settings, times)
        return warnings

    def _animate(self, pictures: Sequence[Path], times: Sequence[int]) -> None:
        durations = [round(float((end - start) * self.clip.time_base) * 1000) for start, end in pairwise(times)]
        images = [Image.open(path).convert("RGB") for path in pictures]
        kind = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}[self.output.suffix.lower()]
        options: dict[str, Any] = {"quality": 90} if kind == "WEBP" else {}
        if kind == "GIF":  # One palette for all frames, and no dither: else the ground would flicker.
            palette = images[len(images) // 2].quantize(255)
            images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
        with atomic_write(self.output) as temporary, temporary.open("wb") as file:
            images[0].save(file, kind, save_all=True, append_images=images[1:], duration=durations, loop=0, **options)


def remove_frames(folder: Path) -> None:
    """Remove the frames, or the lots of frames, in a folder of these, and the folder; all other files stay."""
    if not folder.is_dir():
        return
    for path in list(folder.iterdir()):
        if OWN_NAME.fullmatch(path.name):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # Something else is there.
        folder.rmdir()


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """Raise the errors of PyAV, such as that of a full disk, as OSError of the file at a path."""
    try:
        yield
    except av().FFmpegError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _sound_stream(container: Any, clip: Clip) -> tuple[Any, list[str]]:
    """Return a stream for the sound of a clip, to be copied, or None and a warning where the container takes none."""
    module = av()
    with module.open(str(clip.path)) as source:
        own = source.streams.audio[0]
        try:
            return container.add_stream_from_template(own), []
        except (ValueError, module.FFmpegError):
            return None, [f"{clip.path}: its sound ({own.codec_context.name}) does not go into this kind of file"]


def _copy_sound(container: Any, stream: Any, clip: Clip, settings: Settings, times: Sequence[int]) -> None:
    """Copy the packets of the sound up to the end of the last frame, and where a clip is cut, from its first one."""
    module = av()
    start, end = (float(time * clip.time_base) for time in (times[0], times[-1]))
    whole = settings.start is None
    with module.open(str(clip.path)) as source:
        own = source.streams.audio[0]
        shift = round(Fraction(start).limit_denominator(10**6) / own.time_base)
        for packet in source.demux(own):
            at = float((packet.pts or 0) * own.time_base)
            if packet.dts is None or at >= end or (at < start and not whole):
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = stream
            container.mux(packet)
