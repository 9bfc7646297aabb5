"""Where the photo has something to keep: maps of its structure and of its subject. The style fills the rest.

A map is float32 [height, width] in [0, 1], made once for a photo or a frame. Its long side is MAP_PX, or that of the
largest picture that is painted if that is smaller.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy.ndimage import gaussian_filter

from nst.layers import SMALLEST_SIDE_PX, SUBJECT_LAYERS, SUBJECT_MAP_LAYER, stride_of
from nst.network.vgg19 import Network
from nst.pictures.color_transfer import LUMINANCE
from nst.pictures.resizing import Size, resize, size_with_long_side
from nst.settings import Settings

MAP_PX = 512  # The longest side of the photo of which maps are made.
NEIGHBOURHOOD = 1 / 40  # The standard deviation of a place's neighbourhood, as a fraction of the long side.
FAINT = 0.08  # The deviation of lightness that counts as half a structure.
STRUCTURE_POWER = 1.5  # More than 1 makes faint structure count less.
FULL = 0.9  # The quantile of a map at which it is 1.
LEAST_FULL = 0.02  # The least value that is 1: a photo of one colour has no structure, and no subject.
NOTHING = 0.02  # The quantile of the subject's map at which it is 0.


class PhotoMaps(NamedTuple):
    """Maps of a photo.

    subject  1 where the network sees the most of what it knows: faces, animals, buildings; 0 where a sky or a wall is
    kept     how much of the photo is kept there, from 1 - compose to 1
    plain    the share of a place that is the style's to compose; 0 everywhere without compose
    seen     activations of the photo at the size of the maps, by layer; those that the maps were made from, if any
    """

    subject: np.ndarray
    kept: np.ndarray
    plain: np.ndarray
    seen: dict[str, tf.Tensor] = {}  # noqa: RUF012  Nothing is added to it.


def make_photo_maps(network: Network, photo: np.ndarray, settings: Settings, painted_px: int = MAP_PX) -> PhotoMaps:
    """Return the maps of an image. They are not made where the settings do not ask for them.

    painted_px  the long side of the largest picture that is painted: the maps are no larger
    """
    height, width = size_with_long_side(photo.shape[:2], min(MAP_PX, painted_px, max(photo.shape[:2])))
    size = (max(SMALLEST_SIDE_PX, height), max(SMALLEST_SIDE_PX, width))
    photo = resize(photo, size)
    nothing = np.zeros(size, np.float32)
    seen = network(tf.constant(photo)) if settings.subject_weight else {}
    subject = subject_map(seen[SUBJECT_MAP_LAYER], size) if seen else nothing
    seen = {layer: seen[layer] for layer, _ in (*settings.content_layers, *SUBJECT_LAYERS) if layer in seen}
    if not settings.compose:
        return PhotoMaps(subject, nothing + 1, nothing, seen)
    found = structure_map(photo)
    kept = np.maximum(1 - settings.compose * (1 - found), subject)
    return PhotoMaps(subject, kept, 1 - np.maximum(found, subject), seen)


def structure_map(photo: np.ndarray) -> np.ndarray:
    """Return (d / (d + FAINT))^STRUCTURE_POWER of d, the deviation of lightness around a pixel of an image.

    Relative to its quantile FULL.
    """
    lightness, sigma = photo @ LUMINANCE, NEIGHBOURHOOD * max(photo.shape[:2])
    variance = gaussian_filter(lightness**2, sigma) - gaussian_filter(lightness, sigma) ** 2
    deviation = np.sqrt(np.maximum(variance, 0))
    return _up_to(deviation / (deviation + FAINT)) ** STRUCTURE_POWER


def subject_map(activation: tf.Tensor, size: Size) -> np.ndarray:
    """Return the root mean square over the channels of a photo's activation at SUBJECT_MAP_LAYER [positions, channels].

    Blurred, relative to its quantiles NOTHING and FULL, and of the photo's size.
    """
    stride = stride_of(SUBJECT_MAP_LAYER)
    grid = tuple(side // stride for side in size)
    energy = tf.sqrt(tf.reduce_mean(tf.square(tf.cast(activation, tf.float32)), axis=1)).numpy().reshape(grid)
    blurred = gaussian_filter(energy, NEIGHBOURHOOD * max(grid))
    return resize_map(_up_to(blurred - np.quantile(blurred, NOTHING)), size)


def resize_map(found: np.ndarray, size: Size) -> np.ndarray:
    """Return a map at another size."""
    kernel = Image.Resampling.BOX if found.shape[0] > size[0] else Image.Resampling.BICUBIC
    return resize(found[..., None], size, kernel)[..., 0]


def _up_to(values: np.ndarray) -> np.ndarray:
    """Return values, of which those at the quantile FULL or above become 1, and those below 0 become 0."""
    return np.clip(values / max(float(np.quantile(values, FULL)), LEAST_FULL), 0, 1).astype(np.float32)
