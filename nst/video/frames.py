"""The frames of a clip, redrawn one after another so that what stays in the clip stays in the picture.

The first frame of a scene is redrawn as a photo is. Each other frame starts from the frame before, moved as the clip
moves (Ruder, Dosovitskiy, Brox 2016, "Artistic style transfer for videos"), and takes few steps, small where its pixels
have stayed for long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from nst.network.tensorflow_setup import graphs_as_written
from nst.network.vgg19 import Network
from nst.pictures.color_transfer import LUMINANCE
from nst.pictures.picture_files import levels_of
from nst.pictures.resizing import resize
from nst.settings import Settings
from nst.transfer.first_picture import first_picture, palette
from nst.transfer.inputs import Inputs
from nst.transfer.masks import overall_weights
from nst.transfer.matching import make_match
from nst.transfer.objective import make_evaluate
from nst.transfer.optimizers import adam, steps_late
from nst.transfer.photo_maps import PhotoMaps, make_photo_maps
from nst.transfer.preserved_photo import finished, with_preserved_colors
from nst.transfer.pyramid import make_pyramid
from nst.transfer.scales import Scale
from nst.transfer.state import Descent
from nst.transfer.stylize import stylize
from nst.transfer.targets import SteadyTarget
from nst.transfer.view import make_view
from nst.video.flow import Motion, motion, warped
from nst.video.scenes import MOST_SCENES, change_after, seen_again

OLD = 4.0  # The age in frames at which a pixel is settled.
FIRST_AGE = 8.0  # The age of a scene's first frame, which has had all steps of a picture.
PACE_AGE = 1.5  # The age in frames by which the pace falls to 1/e.
NEW_PACE = 2.4  # The pace of new pixels.
FIRST_STEPS = 1.3  # The steps of a scene's first frame, as a multiple of a picture's: it gets no detail of the style.
RATE = 0.89  # The learning rate of frames, as a fraction of a picture's.
LEAST_PACE = 0.1  # The pace of settled pixels, as a fraction of that of new ones.
LOOKS_BACK = (2, 4, 8, 16)  # How many frames before are asked for what the last frame does not show.
MUCH_NEW = 0.01  # The fraction of a frame that is new from which earlier frames are asked and new parts made anew.
LIGHT_SIGMA = 4.0  # The deviation of the blur with which the clip's change of lightness is carried over.
LIKE_LEVELS = 12.0  # The difference in levels of 255 up to which an earlier frame shows the same there.
NEW_STEPS = ((4, 10), (2, 6))  # How new parts are made: the factor by which they are smaller, and the steps.


@dataclass
class Memory:
    """All that the next frame depends on.

    number   of frames that are done
    frame    the last frame of the clip, and result, its picture, both [height, width, 3] at the size of the result
    ages     for how many frames each pixel has stayed, [height, width]
    earlier  the frames before and their pictures in levels of 255, oldest first
    scene    the first frame of the scene
    begun    the number of frames that were done when the scene began
    scenes   for each scene before: its first frame, its last frame, and the picture of that, in levels of 255
    """

    number: int = 0
    frame: np.ndarray | None = None
    result: np.ndarray | None = None
    ages: np.ndarray | None = None
    earlier: deque[tuple[np.ndarray, np.ndarray]] = field(default_factory=lambda: deque(maxlen=max(LOOKS_BACK)))
    scene: np.ndarray | None = None
    begun: int = 0
    scenes: deque[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=lambda: deque(maxlen=MOST_SCENES))

    def copied(self) -> Memory:
        """Return a copy that shares the arrays, which nobody changes."""
        return replace(self, earlier=self.earlier.copy(), scenes=self.scenes.copy())

    def ending(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return all of the scene that a later scene may go on from; see scenes."""
        assert self.scene is not None and self.frame is not None and self.result is not None
        return levels_of(self.scene), levels_of(self.frame), levels_of(self.result)


@dataclass(frozen=True)
class Maker:
    """Makes the pictures of a clip's frames.

    inputs    the styles, the masks and the settings; the content is replaced by each frame
    scales    of a whole run; later frames of a scene are made at the last one
    tile_px   the side of tiles, in which larger pictures are computed; see fits
    renew     of a frame whose masks may have changed, returns the ages of its pixels; see renewal
    """

    network: Network
    inputs: Inputs
    scales: Sequence[Scale]
    tile_px: int
    renew: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.inputs.settings

    @graphs_as_written()
    def make(self, memory: Memory, frame: np.ndarray) -> np.ndarray:
        """Return the picture of the next frame [height, width, 3] of any size, and note it in the memory.

        If that fails, the memory is as it was, so that the run can go on from it.
        """
        before = memory.copied()
        try:
            return self._make(memory, resize(frame, self.scales[-1].size))
        except BaseException:
            vars(memory).update(vars(before))
            raise

    def _make(self, memory: Memory, frame: np.ndarray) -> np.ndarray:
        if memory.frame is None or memory.result is None or memory.ages is None:
            return self._cut(memory, frame)
        change = change_after(memory.frame, frame)
        if change.cut:
            memory.scenes.append(memory.ending())
            return self._cut(memory, frame)
        if change.repeated and self.renew is None:
            return self._note(memory, frame, memory.result, memory.ages + 1)
        moved = motion(memory.frame, frame) if change.motion is None else change.motion
        start, ages = _moved(memory, frame, moved)
        ages = self.renew(ages, moved.back) if self.renew else ages
        return self._note(memory, frame, *self._next(memory, frame, start, ages))

    def _begin(self, memory: Memory, frame: np.ndarray) -> np.ndarray:
        """Return the picture of a scene's first frame, made as that of a photo."""
        memory.scene, memory.frame, memory.result = frame, None, None
        inputs = replace(self.inputs, content=frame, scene=frame)
        scales = [replace(scale, steps=round(FIRST_STEPS * scale.steps)) for scale in self.scales]
        image = stylize(inputs, self.network, scales, tile_px=self.tile_px)
        return self._note(memory, frame, image, np.full(frame.shape[:2], FIRST_AGE, np.float32))

    def _cut(self, memory: Memory, frame: np.ndarray) -> np.ndarray:
        """Return the picture of the first frame after a cut: from an earlier scene that is seen again, or made anew."""
        memory.begun = memory.number
        memory.earlier.clear()
        found = seen_again([last for _, last, _ in memory.scenes], frame)
        if found is None:
            return self._begin(memory, frame)
        index, seen = found
        memory.scene, memory.frame, memory.result = (part / np.float32(255) for part in memory.scenes[index])
        memory.ages = np.full(frame.shape[:2], OLD, np.float32)
        start, ages = _moved(memory, frame, seen)
        return self._note(memory, frame, *self._next(memory, frame, start, ages))

    def _note(self, memory: Memory, frame: np.ndarray, result: np.ndarray, ages: np.ndarray) -> np.ndarray:
        """Note a picture as the last one, and return it as it is shown."""
        if memory.frame is not None and memory.result is not None:
            memory.earlier.append((levels_of(memory.frame), levels_of(memory.result)))
        memory.number += 1
        memory.frame, memory.result, memory.ages = frame, result, ages.astype(np.float32)
        return finished(result, replace(self.inputs, content=frame))

    def _next(
        self, memory: Memory, frame: np.ndarray, start: np.ndarray, ages: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture of a frame that goes on from the one before, and the ages of its pixels.

        start  the picture before as it is seen in the frame
        ages   0 where nothing before shows the pixel
        """
        inputs = with_preserved_colors(replace(self.inputs, content=frame, scene=memory.scene))
        maps = make_photo_maps(self.network, inputs.content, self.settings)
        new = gaussian_filter((ages == 0).astype(np.float32), 2.0)[..., None]
        fresh = first_picture(inputs, frame.shape[:2])
        image = np.clip(start + new * (fresh - start), 0, 1)
        if float(new.mean()) > MUCH_NEW:
            for part, steps in NEW_STEPS:
                image = self._filled(inputs, maps, image, new, part, steps)
        settled = np.minimum(1.0, ages / OLD)[..., None]
        factor = self.settings.steadiness / max(float(start.var()), 1e-4)
        steady = SteadyTarget(tf.constant(start), tf.constant(factor * settled, tf.float32))
        pace = LEAST_PACE + (NEW_PACE - LEAST_PACE) * np.exp(-ages / PACE_AGE)[..., None]
        picture = self._stepped(inputs, maps, self.scales[-1], image, self.settings.frame_steps, steady, pace)
        return picture, ages + 1

    def _filled(
        self, inputs: Inputs, maps: PhotoMaps, image: np.ndarray, new: np.ndarray, part: int, steps: int
    ) -> np.ndarray:
        """Return a picture whose new parts have been made at a smaller size; the rest stays."""
        size = image.shape[0] // part, image.shape[1] // part
        scale = next((scale for scale in self.scales[::-1] if max(scale.size) <= max(size) * 1.5), None)
        if scale is None or scale is self.scales[-1]:
            return image
        small = resize(image, scale.size)
        there = np.clip(resize(new, scale.size), 0, 1)
        made = self._stepped(inputs, maps, scale, small, steps, None, there)
        change = resize(0.5 + 0.5 * (made - small), image.shape[:2]) * 2 - 1
        return np.clip(image + new * change, 0, 1)

    def _stepped(
        self,
        inputs: Inputs,
        maps: PhotoMaps,
        scale: Scale,
        image: np.ndarray,
        steps: int,
        steady: SteadyTarget | None,
        pace: np.ndarray,
    ) -> np.ndarray:
        """Return a picture after some steps at a scale."""
        settings = inputs.settings
        match = make_match(self.network, inputs, scale, image, tile_px=self.tile_px)
        view = make_view(self.network, inputs, scale, maps, match, tile_px=self.tile_px)
        evaluate = make_evaluate(self.network, replace(view, steady=steady), settings, tile_px=self.tile_px)
        pyramid = make_pyramid(replace(scale, settled=True), palette(inputs, overall_weights(inputs)), settings)

        def done(so_far: int, totals: Sequence[float]) -> float:
            return so_far / steps

        return adam(
            evaluate,
            Descent(image.astype(np.float32)),
            pyramid,
            done,
            replace(settings, average=0.0),
            report=_nobody,
            pace=(RATE * pace).astype(np.float32),
            late=steps_late(settings),
        )


def _nobody(costs: dict[str, float], descent: Callable[[], Descent]) -> None:
    """Listen to no step."""


def _moved(memory: Memory, frame: np.ndarray, moved: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return the last picture as it is seen in a frame, and the ages of its pixels there, 0 where it does not show.

    What the last frame does not show comes from earlier ones that do. The clip's change of lightness is carried over.
    """
    assert memory.frame is not None and memory.result is not None and memory.ages is not None
    image = _carried(memory.result, memory.frame, frame, moved.back)
    ages = np.where(moved.known > 0.5, warped(memory.ages, moved.back) + 1, 0).astype(np.float32)
    for back in LOOKS_BACK:
        missing = ages == 0
        if missing.mean() <= MUCH_NEW or back > len(memory.earlier) + 1:
            break
        earlier, result = (levels / np.float32(255) for levels in memory.earlier[1 - back])
        seen = motion(earlier, frame)
        like = np.abs(warped(earlier, seen.back) - frame).max(axis=-1) * 255 < LIKE_LEVELS
        found = missing & (seen.known > 0.5) & like
        image[found] = _carried(result, earlier, frame, seen.back)[found]
        ages[found] = 1
    return image, ages


def _carried(result: np.ndarray, earlier: np.ndarray, frame: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Return an earlier picture as it is seen in a frame, lighter or darker as the clip has become there."""
    change = frame @ LUMINANCE - warped(earlier @ LUMINANCE, back)
    light = gaussian_filter(change, LIGHT_SIGMA)[..., None]
    return np.clip(warped(result, back, sharp=True) + light, 0, 1).astype(np.float32)
