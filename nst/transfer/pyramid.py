"""The pyramid in which Adam takes its steps: one band, the pixels themselves, or several bands, fine to coarse.

Adam moves every number by about the same amount. On pixels, it writes fine noise as readily as large shapes. On the
bands of a pyramid, it moves large shapes as readily as fine strokes. Natural pictures vary in this way.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL.Image import Resampling

from nst.pictures.resizing import Size, resize_matrix
from nst.settings import Settings
from nst.transfer.scales import Scale
from nst.transfer.strip_bands import StripPyramid

LEAST_SPREAD = 0.003  # The least spread of a style's colours along an axis, as a fraction of the largest.
COARSEST_PX = 4  # The long side below which there is no coarser band.
GROWTH = 2**0.25  # The amount of a band, as a multiple of the next finer band's, where nothing is settled.
SETTLED_GROWTH = 0.25  # The same, where a coarser scale has settled the coarser bands.
SETTLED_AMOUNT = 0.45  # The amount of all bands together, where a coarser scale has settled the coarser bands.


class BandMap(NamedTuple):
    """The numbers of a pyramid, as a graph takes them.

    amounts  [bands], by how much each band moves the picture
    colors   [3, 3], the axes of colour that the three numbers of a band's pixel stand for; see color_axes
    enlarge  for each band but the coarsest, the matrices for rows and columns that enlarge the next coarser band to it
    """

    amounts: tf.Tensor
    colors: tf.Tensor
    enlarge: tuple[tuple[tf.Tensor, tf.Tensor], ...]


@dataclass(frozen=True)
class Pyramid:
    """A linear map from bands, fine to coarse, to an image: the sizes of the bands, and the numbers of the map."""

    sizes: tuple[Size, ...]
    band_map: BandMap


def combine(bands: Sequence[tf.Tensor], band_map: BandMap) -> tf.Tensor:
    """Return the image [height, width, 3] that bands [height, width, 3] make, finest first."""
    amounts = tf.unstack(band_map.amounts, num=len(bands))
    image = amounts[-1] * bands[-1]
    for band, amount, (rows, columns) in zip(bands[-2::-1], amounts[-2::-1], band_map.enlarge[::-1], strict=True):
        image = amount * band + tf.einsum("ah,hwc,bw->abc", rows, image, columns)
    return image @ band_map.colors


def split(gradient: tf.Tensor, band_map: BandMap) -> list[tf.Tensor]:
    """Return d/d(bands) from d/d(image): the transpose of combine."""
    gradients = [gradient @ tf.transpose(band_map.colors)]
    for rows, columns in band_map.enlarge:
        gradients.append(tf.einsum("ah,abc,bw->hwc", rows, gradients[-1], columns))
    amounts = tf.unstack(band_map.amounts, num=len(gradients))
    return [amount * part for amount, part in zip(amounts, gradients, strict=True)]


def make_pyramid(scale: Scale, palette: np.ndarray, settings: Settings) -> Pyramid:
    """Return the pyramid that settings.basis asks for, for pictures of a scale in colours such as those of an image.

    palette  the image
    """
    if settings.basis == "pixels":
        return pixel_pyramid(scale.size)
    return band_pyramid(scale.size, color_axes(palette), settled=scale.settled)


def make_strip_pyramid(scale: Scale, palette: np.ndarray, settings: Settings) -> StripPyramid:
    """Return the pyramid of make_pyramid for a picture in tiles."""
    if settings.basis == "pixels":
        return StripPyramid((scale.size,), np.ones(1, np.float32), np.eye(3, dtype=np.float32))
    return StripPyramid(*_bands(scale.size, settled=scale.settled), color_axes(palette))


def pixel_pyramid(size: Size) -> Pyramid:
    """Return the pyramid with one band: the picture itself."""
    return Pyramid((size,), BandMap(tf.ones([1]), tf.eye(3), ()))


def color_axes(style: np.ndarray) -> np.ndarray:
    """Return the principal axes of a style's colours [axis, RGB], each as long as the colours spread along it.

    Scaled to a mean square of 1. Adam moves the picture alike along each axis. With axes of these lengths, it moves
    colours as the style varies them, and leaves no coloured noise where the style has no colour.
    """
    variances, axes = np.linalg.eigh(np.cov(style.reshape(-1, 3).T, bias=True))
    spread = np.sqrt(np.maximum(variances, (LEAST_SPREAD**2) * max(variances.max(), 1e-6)))
    return (axes * spread / np.sqrt(np.mean(spread**2))).T.astype(np.float32)


def band_pyramid(size: Size, colors: np.ndarray, *, settled: bool) -> Pyramid:
    """Return the pyramid whose bands are each half the size of the next finer band, and enlarged bicubically.

    colors  [3, 3], the axes of colour; see color_axes
    """
    sizes, amounts = _bands(size, settled=settled)
    enlarge = tuple(
        tuple(tf.constant(resize_matrix(old, new, Resampling.BICUBIC)) for old, new in zip(coarse, fine, strict=True))
        for fine, coarse in itertools.pairwise(sizes)
    )
    return Pyramid(sizes, BandMap(tf.constant(amounts), tf.constant(colors), enlarge))


def _bands(size: Size, *, settled: bool) -> tuple[tuple[Size, ...], np.ndarray]:
    """Return the sizes of the bands of a picture, and their amounts.

    settled  whether the picture comes from a coarser scale, so that only fine detail is left to be made

    The amounts are such that all bands together move a pixel by as much as one band of amount 1 would, or by
    SETTLED_AMOUNT of that.
    """
    count = max(1, math.ceil(math.log2(max(size) / COARSEST_PX)))
    sizes = tuple((math.ceil(size[0] / 2**k), math.ceil(size[1] / 2**k)) for k in range(count))
    growth, together = (SETTLED_GROWTH, SETTLED_AMOUNT) if settled else (GROWTH, 1)
    amounts = growth ** np.arange(count)
    return sizes, (together * amounts / np.sqrt(np.sum(amounts**2))).astype(np.float32)
