"""A picture at the next finer scale, with some of the photo's own fine detail."""

import numpy as np

from nst.pictures.resizing import Size, resize, resized_rows
from nst.settings import Settings
from nst.system.large_arrays import copied, strips


def enlarge(image: np.ndarray, first: np.ndarray, coarser: Size, size: Size, settings: Settings) -> np.ndarray:
    """Return `image`, made at the coarser size, at `size`.

    first  the first picture at this size, which gives the fine detail: all of it at a strength of 0
    """
    amount = 1 - settings.departure * (1 - settings.photo_detail)
    enlarged = copied(image) if image.shape[:2] == size else resize(image, size)
    if amount:
        reduced = resize(first, coarser)
        for rows in strips(size):
            enlarged[rows] = np.clip(enlarged[rows] + amount * fine_detail(first, reduced, rows), 0, 1)
    return enlarged


def fine_detail(image: np.ndarray, reduced: np.ndarray, rows: slice) -> np.ndarray:
    """Return what some rows of an image have lost in a reduced copy of it."""
    return image[rows] - resized_rows(reduced, image.shape[:2], rows)
