"""Where a clip repeats a frame, where it cuts to another scene, and which earlier scene a scene goes on from.

All of that depends on the frames of the clip alone, and not on their pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nst.pictures.picture_files import levels_of
from nst.pictures.resizing import resize, size_with_long_side
from nst.video.flow import Motion, motion

SAME_LEVELS = 0.25  # The mean difference in levels of 255 up to which a frame repeats the one before.
SMALL_PX = 160  # The long side of the copies whose colours are compared.
KNOWN_AT_CUT = 0.35  # The greatest part of a frame that is known after a cut.
COLORS_APART = 0.3  # The least distance of the colours before and after a cut, of at most 1.
BINS = 8  # The bins of each channel.
MOST_SCENES = 8  # The earlier scenes that are remembered.
SEEN_AGAIN = 0.6  # The fraction of a frame that an earlier scene must show to go on from it.


class Change(NamedTuple):
    """What comes after a frame of a clip.

    repeated  whether the next frame repeats it
    cut       whether the next frame shows another scene
    motion    between the two, None for a repeated frame
    """

    repeated: bool = False
    cut: bool = False
    motion: Motion | None = None


@dataclass(frozen=True)
class Scene:
    """A scene of a clip.

    number  of the scene, from 0
    first   the number of its first frame
    end     the number of the frame after its last one
    after   the number of the earlier scene that it goes on from, None for a scene of its own
    shown_every  the number of frames from one that the report of the clip shows to the next
    """

    number: int
    first: int
    end: int
    after: int | None = None
    shown_every: int = 1

    @property
    def frames(self) -> int:
        """Return the number of its frames."""
        return self.end - self.first


def change_after(earlier: np.ndarray, frame: np.ndarray) -> Change:
    """Return what comes after a frame with the next one, both [height, width, 3]."""
    if is_repeated(earlier, frame):
        return Change(repeated=True)
    moved = motion(earlier, frame)
    return Change(cut=is_cut(earlier, frame, moved.known), motion=moved)


def seen_again(lasts: Sequence[np.ndarray], frame: np.ndarray) -> tuple[int, Motion] | None:
    """Return the index of the latest earlier scene that a frame goes on from, and the motion from its last frame.

    lasts  the last frames of earlier scenes in levels of 255, oldest first
    """
    for index, levels in reversed(list(enumerate(lasts))):
        seen = motion(levels / np.float32(255), frame)
        if seen.known.mean() >= SEEN_AGAIN:
            return index, seen
    return None


def find_scenes(frames: Iterable[np.ndarray]) -> list[Scene]:
    """Return the scenes of a clip, whose frames are of the size of the result [height, width, 3]."""
    lasts: deque[tuple[int, np.ndarray]] = deque(maxlen=MOST_SCENES)
    earlier: np.ndarray | None = None
    begun: list[tuple[int, int | None]] = []  # The first frame of each scene, and the scene that it goes on from.
    count = 0
    for frame in frames:
        if earlier is None:
            begun.append((0, None))
        elif change_after(earlier, frame).cut:
            lasts.append((len(begun) - 1, levels_of(earlier)))
            found = seen_again([levels for _, levels in lasts], frame)
            begun.append((count, lasts[found[0]][0] if found else None))
        earlier = frame
        count += 1
    return list(_scenes(begun, count))


def _scenes(begun: Sequence[tuple[int, int | None]], count: int) -> Iterator[Scene]:
    ends = [first for first, _ in begun[1:]] + [count]
    for number, ((first, after), end) in enumerate(zip(begun, ends, strict=True)):
        yield Scene(number, first, end, after)


def is_repeated(earlier: np.ndarray, frame: np.ndarray) -> bool:
    """Return whether a frame repeats an earlier one, but for the noise of its coding."""
    return float(np.mean(np.abs(frame - earlier))) * 255 < SAME_LEVELS


def is_cut(earlier: np.ndarray, frame: np.ndarray, known: np.ndarray) -> bool:
    """Return whether a frame shows another scene: little of it was there before, in other colours.

    known  see Motion
    """
    return float(known.mean()) < KNOWN_AT_CUT and colors_apart(earlier, frame) > COLORS_APART


def colors_apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the distance of the colours of two images, 0 for the same and 1 for none in common."""
    first, second = _histogram(one), _histogram(other)
    return float(1 - np.minimum(first, second).sum())


def _histogram(image: np.ndarray) -> np.ndarray:
    small = resize(image, size_with_long_side(image.shape[:2], min(SMALL_PX, max(image.shape[:2]))))
    indices = np.minimum((small * BINS).astype(int), BINS - 1) @ np.array([BINS * BINS, BINS, 1])
    return np.bincount(indices.ravel(), minlength=BINS**3) / indices.size
