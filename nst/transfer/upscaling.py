"""A picture at the next finer scale, with some of the photo's own fine detail."""

import numpy as np

from nst.pictures.resizing import Size, resize
from nst.settings import Settings


def enlarge(image: np.ndarray, first: np.ndarray, coarser: Size, size: Size, settings: Settings) -> np.ndarray:
    """Return `image`, made at the coarser size, at `size`.

    first  the first picture at this size, which gives the fine detail: all of it at a strength of 0
    """
    amount = 1 - settings.departure * (1 - settings.photo_detail)
    enlarged = resize(image, size)
    if amount:
        enlarged += amount * fine_detail(first, coarser)
    return np.clip(enlarged, 0, 1, out=enlarged)


def fine_detail(image: np.ndarray, coarser: Size) -> np.ndarray:
    """Return what is lost of an image when it is reduced to the coarser size and enlarged again."""
    return image - resize(resize(image, coarser), image.shape[:2])
