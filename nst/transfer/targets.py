"""The targets of a picture at a scale: activations of the photo, statistics of the styles, and matched places.

Their factors and weights are in them, so that the cost is a function of the picture and its targets alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.pictures.resizing import Size
from nst.transfer.places import Places
from nst.transfer.style_loss import StyleLoss
from nst.transfer.tiles import fits


class ContentTarget(NamedTuple):
    """The photo's activations at one layer, [positions, channels], and where and how much they count.

    weights  [positions, 1]; see content_cost

    Both are arrays for a picture in tiles, as are the weights of a Part; see placed.
    """

    wanted: tf.Tensor | np.ndarray
    weights: tf.Tensor | np.ndarray
    factor: tf.Tensor


class StyleTarget(NamedTuple):
    """The target of one layer's statistics, see StyleLoss.target, and the factor of the layer's cost."""

    wanted: tf.Tensor
    factor: tf.Tensor


class Part(NamedTuple):
    """A part of a region, compared with the style on its own: by layer, its targets and the weights of positions.

    weights  [positions, 1], with a sum of 1; empty where the part is the whole picture
    """

    style: dict[str, StyleTarget]
    weights: dict[str, tf.Tensor | np.ndarray]


def placed(numbers: np.ndarray, size: Size, tile_px: int) -> tf.Tensor | np.ndarray:
    """Return numbers for the positions of a picture where its cost takes them: as a tensor, or for tiles as they are.

    size, tile_px  of the picture and of tiles; see fits
    """
    return tf.constant(numbers, tf.float32) if fits(size, tile_px) else numbers


def balanced(weight: float, nothing: tf.Tensor | float) -> tf.Tensor:
    """Return the factor of a layer's cost: the weight, divided by the cost of a picture without any activation."""
    return tf.constant(weight / max(float(nothing), 1e-12), tf.float32)


class MatchLayer(NamedTuple):
    """The part of a layer in the wanted hypercolumns; see match_sums.

    wanted   at the places of each of the layer's positions, [positions, places, channels]
    squares  [positions, places]
    """

    wanted: tf.Tensor
    squares: tf.Tensor


class MatchTarget(NamedTuple):
    """The wanted hypercolumns at the places of the picture, and where they count.

    layers   by layer
    weights  for each place, row by row, and each region, [places, regions]
    """

    layers: dict[str, MatchLayer]
    weights: tf.Tensor


class Targets(NamedTuple):
    """The targets of the picture at one size.

    content  by layer
    parts    the parts of the first region, then those of the next
    pixels   for each region, how far it may move each pixel, see reaches, [height, width, 1]; empty where there is
             one region that is everywhere
    match    without layers where nothing is matched
    factors  alpha, beta and gamma
    """

    content: dict[str, ContentTarget]
    parts: tuple[Part, ...]
    pixels: tuple[tf.Tensor, ...]
    match: MatchTarget
    factors: tf.Tensor


class TargetsLayout(NamedTuple):
    """All that a graph for targets depends on.

    style_layers  of each part
    weighted      whether parts have weights
    guided        the number of regions that have their own pixels
    places        the places that are matched
    """

    content_layers: tuple[str, ...]
    style_layers: tuple[tuple[str, ...], ...]
    match_layers: tuple[str, ...]
    weighted: bool
    guided: int
    places: Places

    @property
    def regions(self) -> int:
        """Return the number of regions."""
        return max(1, self.guided)

    @property
    def layers(self) -> set[str]:
        """Return all layers that are compared."""
        return {*self.content_layers, *self.match_layers, *(name for part in self.style_layers for name in part)}

    def signature(self) -> Targets:
        """Return targets of any size as a graph's input_signature describes them."""
        number, matrix, column = tf.TensorSpec([]), tf.TensorSpec([None, None]), tf.TensorSpec([None, 1])
        parts = tuple(
            Part(
                dict.fromkeys(layers, StyleTarget(matrix, number)),
                dict.fromkeys(layers, column) if self.weighted else {},
            )
            for layers in self.style_layers
        )
        return Targets(
            dict.fromkeys(self.content_layers, ContentTarget(matrix, column, number)),
            parts,
            (tf.TensorSpec([None, None, 1]),) * self.guided,
            MatchTarget(
                dict.fromkeys(self.match_layers, MatchLayer(tf.TensorSpec([None, None, None]), matrix)),
                tf.TensorSpec([None, self.regions]),
            ),
            tf.TensorSpec([3]),
        )


class ColorTarget(NamedTuple):
    """The distances between the colours of a small copy of the picture, and the matrices that make the copy.

    distances      [n, n], of the n pixels of the copy
    rows, columns  resize matrices; see resize_matrix
    """

    distances: tf.Tensor
    rows: tf.Tensor
    columns: tf.Tensor


class SteadyTarget(NamedTuple):
    """The picture that a frame of a clip should stay near to, and how much at each pixel.

    wanted   [height, width, 3], the frame before as it is seen in this frame
    weights  [height, width, 1]
    """

    wanted: tf.Tensor
    weights: tf.Tensor


@dataclass(frozen=True)
class View:
    """The picture at one size: its targets there, and all that a graph for them depends on.

    style_loss  what the targets of the style are of
    color  None where the structure of colours is not compared
    steady  None but for the frames of a clip
    """

    size: Size
    targets: Targets
    layout: TargetsLayout
    style_loss: StyleLoss
    color: ColorTarget | None
    steady: SteadyTarget | None = None
