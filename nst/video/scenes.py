"""Where a clip repeats a frame, and where it cuts to another scene."""

from __future__ import annotations

import numpy as np

from nst.pictures.resizing import resize, size_with_long_side

SAME_LEVELS = 0.25  # The mean difference in levels of 255 up to which a frame repeats the one before.
SMALL_PX = 160  # The long side of the copies whose colours are compared.
KNOWN_AT_CUT = 0.35  # The greatest part of a frame that is known after a cut.
COLORS_APART = 0.3  # The least distance of the colours before and after a cut, of at most 1.
BINS = 8  # The bins of each channel.


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
