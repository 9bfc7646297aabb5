"""Transparency: a picture over white, and colours for the pixels that are invisible.

An image is [height, width, 3], an alpha [height, width], both float32 in [0, 1]; colours are not multiplied by alpha.
"""

import numpy as np
from PIL import Image


def composite_over_white(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return an image over white."""
    return image * alpha[..., None] + (1 - alpha[..., None])


def continue_colors(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return an image whose invisible pixels have colours too: those of the visible pixels continue smoothly.

    At least one pixel must be visible. The method is the pull and push of Gortler et al. 1996, "The Lumigraph", section
    3.4: a pixel without colour takes the colour of the image at half the size, whose pixels are averages weighted by
    alpha.
    """
    return np.where(alpha[..., None] > 0, image, _averages(image * alpha[..., None], alpha))


def _averages(weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return `weighted` [height, width, 3] / `weight` [height, width]; where the weight is 0, the average around."""
    known = weight > 0
    values = weighted / np.where(known, weight, 1)[..., None]
    if known.all():
        return values
    surroundings = _averages(_halved(weighted), _halved(weight))
    return np.where(known[..., None], values, _doubled(surroundings, weight.shape))


def _halved(values: np.ndarray) -> np.ndarray:
    """Return the sums of blocks of 2x2 values. Beyond an odd edge the values are 0."""
    height, width = values.shape[:2]
    even = np.pad(values, [(0, height % 2), (0, width % 2)] + [(0, 0)] * (values.ndim - 2))
    return even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]


def _doubled(values: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return values [height, width, 3] doubled by bilinear interpolation, then cropped to `size`."""
    height, width = values.shape[:2]
    channels = [Image.fromarray(channel) for channel in np.ascontiguousarray(np.moveaxis(values, -1, 0))]
    doubled = [np.asarray(c.resize((2 * width, 2 * height), Image.Resampling.BILINEAR)) for c in channels]
    return np.stack(doubled, axis=-1)[: size[0], : size[1]]
