"""What Adam takes its steps in: the pixels, or bands of detail from fine to coarse.

Adam moves every number it is given by about the same amount. Given pixels, it writes fine noise as readily as large
shapes. Given the levels of a pyramid, it moves large shapes as readily as fine strokes, as natural pictures vary.
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

LEAST_SPREAD = 0.03  # of a style's colours along an axis, as a share of the largest
COARSEST_PX = 4  # the long side below which there is no coarser band
GROWTH = 2**0.25  # where nothing is settled, a band moves by so much more than the next finer one
SETTLED_GROWTH = 0.25  # where a coarser scale has settled the coarser bands, they move by so much less,
SETTLED_AMOUNT = 0.45  # and all of them together by so much


class Bands(NamedTuple):
    """The numbers of a basis, as a graph takes them.

    amounts  [bands], by how much each band moves the picture
    colors   the axes of colour [3, 3] that the numbers of a band stand for
    enlarge  for each band but the coarsest, the matrices for rows and columns that enlarge the next coarser one to it
    """

    amounts: tf.Tensor
    colors: tf.Tensor
    enlarge: tuple[tuple[tf.Tensor, tf.Tensor], ...]


@dataclass(frozen=True)
class Basis:
    """A linear map from bands, fine to coarse, to an image: the sizes of the bands and the numbers of the map."""

    sizes: tuple[Size, ...]
    bands: Bands


def combine(parts: Sequence[tf.Tensor], bands: Bands) -> tf.Tensor:
    """Return the image [height, width, 3] of bands [height, width, 3] each, finest first."""
    amounts = tf.unstack(bands.amounts, num=len(parts))
    image = amounts[-1] * parts[-1]
    for band, amount, (rows, columns) in zip(parts[-2::-1], amounts[-2::-1], bands.enlarge[::-1], strict=True):
        image = amount * band + tf.einsum("ah,hwc,bw->abc", rows, image, columns)
    return image @ bands.colors


def split(gradient: tf.Tensor, bands: Bands) -> list[tf.Tensor]:
    """Return d/d(bands) from d/d(image): the transpose of combine."""
    gradients = [gradient @ tf.transpose(bands.colors)]
    for rows, columns in bands.enlarge:
        gradients.append(tf.einsum("ah,abc,bw->hwc", rows, gradients[-1], columns))
    amounts = tf.unstack(bands.amounts, num=len(gradients))
    return [amount * part for amount, part in zip(amounts, gradients, strict=True)]


def make_basis(scale: Scale, palette: np.ndarray, settings: Settings) -> Basis:
    """Return the basis that the settings ask for, for pictures of a scale in colours such as those of an image."""
    if settings.basis == "pixels":
        return pixel_basis(scale.size)
    return band_basis(scale.size, color_axes(palette), settled=scale.settled)


def pixel_basis(size: Size) -> Basis:
    """Return the basis with one band: the picture itself."""
    return Basis((size,), Bands(tf.ones([1]), tf.eye(3), ()))


def color_axes(style: np.ndarray) -> np.ndarray:
    """Return the principal axes of a style's colours [axis, RGB], each as long as the colours spread along it.

    Scaled to a mean square of 1. Adam moves each axis alike; so drawn out, it moves colours as the style varies them,
    and leaves no coloured noise where the style has no colour.
    """
    variances, axes = np.linalg.eigh(np.cov(style.reshape(-1, 3).T))
    spread = np.sqrt(np.maximum(variances, (LEAST_SPREAD**2) * max(variances.max(), 1e-6)))
    return (axes * spread / np.sqrt(np.mean(spread**2))).T.astype(np.float32)


def band_basis(size: Size, colors: np.ndarray, *, settled: bool) -> Basis:
    """Return the basis of a pyramid: each band half the size of the finer one and enlarged bicubically.

    colors   the axes of colour [3, 3] that the numbers of a band stand for; see color_axes
    settled  whether the picture comes from a coarser scale, which leaves only fine detail to be made

    The bands are weighted so that together they move a pixel as much as one band of weight 1, or SETTLED_AMOUNT, would.
    """
    count = max(1, math.ceil(math.log2(max(size) / COARSEST_PX)))
    sizes = tuple((math.ceil(size[0] / 2**k), math.ceil(size[1] / 2**k)) for k in range(count))
    growth, together = (SETTLED_GROWTH, SETTLED_AMOUNT) if settled else (GROWTH, 1)
    amounts = growth ** np.arange(count)
    amounts = (together * amounts / np.sqrt(np.sum(amounts**2))).astype(np.float32)
    enlarge = tuple(
        tuple(tf.constant(resize_matrix(old, new, Resampling.BICUBIC)) for old, new in zip(coarse, fine, strict=True))
        for fine, coarse in itertools.pairwise(sizes)
    )
    return Basis(sizes, Bands(tf.constant(amounts), tf.constant(colors), enlarge))
