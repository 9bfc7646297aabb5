"""Masks that are clips: each frame of a clip takes the frame of a mask that is shown at its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from nst.errors import UserError
from nst.pictures.picture_files import write_picture
from nst.pictures.resizing import resize
from nst.run.clip_names import is_clip_name
from nst.run.request import MOVING, Paths
from nst.system.temporary import temporary_folder
from nst.transfer.inputs import Inputs
from nst.video.clips import ANIMATIONS, Clip, Frame, open_clip
from nst.video.flow import warped

Renew = Callable[[np.ndarray, np.ndarray], np.ndarray]
MASKS = tuple(role for role in MOVING if role != "content")
ROUNDING_SECONDS = 0.002  # The error of the times in a file, which may be rounded to milliseconds.
ENDED = np.zeros((0, 0), np.float32)  # In place of a frame of a mask that has none any more.
RISEN = 0.25  # The rise of a mask from which a pixel is made anew.


@dataclass(frozen=True)
class MaskClip:
    """A mask that is a clip, with its role and its number among the masks of the role."""

    role: str
    index: int
    clip: Clip


def mask_clips(paths: Paths) -> tuple[MaskClip, ...]:
    """Return the masks of a clip that are clips, opened. Raises UserError."""
    found = []
    for role in MASKS:
        for index, path in enumerate(paths.get(role, ())):
            if is_clip_name(path) or path.is_dir() or _is_animated(path):
                found.append(MaskClip(role, index, open_clip(path)))
    return tuple(found)


def _is_animated(path: Path) -> bool:
    """Return whether a file is an animated picture; a damaged one is told when it is read."""
    if path.suffix.lower() not in ANIMATIONS:
        return False
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except (OSError, SyntaxError, ValueError):
        return False


def with_stills(paths: Paths, masks: Sequence[MaskClip]) -> Paths:
    """Return paths with a white picture of the same size in the place of each mask that is a clip."""
    found = {role: list(files) for role, files in paths.items()}
    for mask in masks:
        folder = temporary_folder() / f"{mask.role}_{mask.index}"
        folder.mkdir(exist_ok=True)
        still = folder / f"{mask.clip.path.stem}.png"
        write_picture(still, np.ones((*mask.clip.size, 3), np.float32))
        found[mask.role][mask.index] = still
    return {role: tuple(files) for role, files in found.items()}


def frames_with_masks(clip: Clip, masks: Sequence[MaskClip]) -> Iterator[Frame]:
    """Yield the frames of a clip, each with its frames of the masks, [height, width] in [0, 1], in their order.

    Numbered pictures have no times, so that they go by their order. After its end, a mask gives ENDED.
    """
    shown = [_Shown(mask.clip) for mask in masks]
    origin = None
    for frame in clip.frames():
        origin = frame.time if origin is None else origin
        seconds = float((frame.time - origin) * clip.time_base)
        images = [reader.at(seconds) for reader in shown]
        yield frame._replace(masks=tuple(ENDED if image is None else image.mean(axis=-1) for image in images))


def check_long_enough(clip: Clip, masks: Sequence[MaskClip], frame: Frame) -> None:
    """Raise UserError where a mask has no frame for a frame that is redrawn."""
    for mask, image in zip(masks, frame.masks, strict=True):
        if image is ENDED:
            words = f"ends before the last frame of {clip.path.name} that is wanted; give a mask that is as long"
            raise UserError(f"{mask.clip.path}: {words}")


class _Shown:
    """The frame of a mask that is shown at a time, for times that grow."""

    def __init__(self, mask: Clip) -> None:
        self.mask = mask
        self.frames = mask.frames()
        self.coming = next(self.frames, None)
        self.origin = self.coming.time if self.coming else 0
        self.image: np.ndarray | None = None
        self.began = self.step = 0.0

    def at(self, seconds: float) -> np.ndarray | None:
        """Return the frame that is shown at a time; of numbered pictures the next one. None after the last one."""
        if self.mask.kind == "pictures":
            self._take()
            return self.image
        while self.coming and self._seconds(self.coming) <= seconds + ROUNDING_SECONDS:
            self._take()
        ended = self.coming is None and seconds > self.began + 1.5 * self.step
        return None if ended else self.image

    def _take(self) -> None:
        """Show the frame that comes."""
        if self.coming is None:
            self.image = None
            return
        self.image, now = self.coming.image, self._seconds(self.coming)
        self.began, self.step = now, now - self.began or self.step
        self.coming = next(self.frames, None)

    def _seconds(self, frame: Frame) -> float:
        return float((frame.time - self.origin) * self.mask.time_base)


def masked(inputs: Inputs, masks: Sequence[MaskClip], images: Sequence[np.ndarray]) -> Inputs:
    """Return the inputs of a frame, with its frames of the masks."""
    found: dict[str, dict[int, np.ndarray]] = {role: {} for role in MASKS}
    for mask, image in zip(masks, images, strict=True):
        found[mask.role][mask.index] = image
    return replace(
        inputs,
        style_masks=tuple(found["style_mask"].get(index, still) for index, still in enumerate(inputs.style_masks)),
        content_mask=found["content_mask"].get(0, inputs.content_mask),
    )


def renewal(masks: Sequence[np.ndarray], before: Sequence[np.ndarray]) -> Renew:
    """Return a function from the ages of a frame's pixels, and its flow to the frame before, to ages that are 0 too
    where a mask has risen, as its style or the change of the photo is new there; see Maker.

    masks, before  of this frame and of the frame before, [height, width] in [0, 1]
    """

    def renew(ages: np.ndarray, back: np.ndarray) -> np.ndarray:
        for mask, earlier in zip(masks, before, strict=True):
            now, was = (resize(image[..., None], ages.shape)[..., 0] for image in (mask, earlier))
            ages = np.where(now - warped(was, back) > RISEN, np.float32(0), ages)
        return ages

    return renew
