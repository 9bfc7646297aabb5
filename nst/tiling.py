"""Pictures in tiles: where tiles lie, and the walk through the network over them, forward and back. No costs.

A tile has a core, which is its own, and around it a halo, wide enough that what the network makes of the core is as in
the whole picture. The network is walked segment by segment: what one leaves of the whole picture is small, so that
the next one needs no halo for those before it. The network sees zeros only beyond the picture's real edges, as always.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst.image_io import Size
from nst.layers import block_of, stride_px
from nst.vgg19 import Network, Segment

CELL_PX = stride_px(5)  # cores begin at multiples of what one position of the last block covers
ROOM = {1: 1, 4: 2, 5: 4}  # by first block of a segment, how many times as wide its tiles are: activations are smaller
UNTILED_PX = 1_000_000  # a tile larger than any picture


@dataclass(frozen=True)
class Span:
    """A tile along one dimension, in px of the picture: all that is computed, and within it the core."""

    start: int
    core_start: int
    core_stop: int
    stop: int

    def whole(self, stride: int) -> slice:
        """Return which positions of the picture, `stride` px apart, the tile takes."""
        return slice(self.start // stride, self.stop // stride)

    def core(self, stride: int) -> slice:
        """Return which positions of the picture, `stride` px apart, are its own."""
        return slice(self.core_start // stride, self.core_stop // stride)

    def inner(self, stride: int) -> slice:
        """Return which of its positions, `stride` px apart, are its own."""
        first = self.start // stride
        return slice(self.core_start // stride - first, self.core_stop // stride - first)


@dataclass(frozen=True)
class Tile:
    """A tile of a picture. Its slices index arrays [height, width, ...] whose positions are `stride` px apart."""

    rows: Span
    columns: Span

    def whole(self, stride: int) -> tuple[slice, slice]:
        """Return all that the tile takes of the picture."""
        return self.rows.whole(stride), self.columns.whole(stride)

    def core(self, stride: int) -> tuple[slice, slice]:
        """Return what of the picture is its own."""
        return self.rows.core(stride), self.columns.core(stride)

    def inner(self, stride: int) -> tuple[slice, slice]:
        """Return what of the tile is its own."""
        return self.rows.inner(stride), self.columns.inner(stride)


# Takes a segment, what it takes of the tile, and the tile; returns what it leaves of the core, None after the last.
Forward = Callable[[Segment, tf.Tensor, Tile], tf.Tensor | None]
# Also takes d/d(what it left of the core) of each chain, if it left any; returns d/d(what it took) of each, float32.
Backward = Callable[[Segment, tf.Tensor, Tile, list[tf.Tensor]], list[tf.Tensor]]


def fits(size: Size, tile_px: int) -> bool:
    """Return whether a picture is no larger than a tile, and so computed in one piece."""
    return size[0] * size[1] <= tile_px**2


def tiles(size: Size, segment: Segment, side_px: int) -> list[Tile]:
    """Return the tiles of a picture for a segment, row by row; the first segment's are at most `side_px` wide.

    They are wider where no more than a cell would be left of the core.
    """
    pooled = stride_px(segment.last_block + 1)  # tiles begin and end between positions of what the segment leaves
    halo = math.ceil(segment.reach_px / pooled) * pooled
    rows, columns = (spans(length, ROOM[segment.first_block] * side_px, halo) for length in size)
    return [Tile(*pair) for pair in itertools.product(rows, columns)]


def spans(length: int, side: int, halo: int) -> list[Span]:
    """Return tiles along `length` px, with cores of about equal size."""
    cells = max(1, length // CELL_PX)
    count = 1 if length <= side else math.ceil(cells / max(1, (side - 2 * halo) // CELL_PX))
    bounds = [round(k * cells / count) * CELL_PX for k in range(count)] + [length]
    return [Span(max(0, a - halo), a, b, min(length, b + halo)) for a, b in itertools.pairwise(bounds)]


def share_of(tile: Tile, size: Size, layer: str) -> float:
    """Return how much of the positions of a layer, in a picture of `size`, are in the core of a tile."""
    stride = stride_px(block_of(layer))
    rows, columns = tile.core(stride)
    return (rows.stop - rows.start) * (columns.stop - columns.start) / ((size[0] // stride) * (size[1] // stride))


def walk(network: Network, image: np.ndarray, side_px: int, work: Forward) -> Iterator[np.ndarray]:
    """Yield what each segment takes of the whole picture, `work` done for its tiles when the next one is asked for."""
    x, size = image, image.shape[:2]
    for index, segment in enumerate(network.segments):
        yield x
        stride, next_stride = stride_px(segment.first_block), stride_px(segment.last_block + 1)
        left = _empty(size, network.segments[index + 1]) if index + 1 < len(network.segments) else None
        for tile in tiles(size, segment, side_px):
            part = work(segment, tf.constant(x[tile.whole(stride)]), tile)
            if left is not None and part is not None:
                left[tile.core(next_stride)] = part.numpy()
        if left is not None:
            x = left


def walk_back(
    network: Network, taken: Sequence[np.ndarray], side_px: int, chains: int, work: Backward
) -> list[np.ndarray]:
    """Return d/d(image) of `chains` costs, from what each segment took of the whole picture."""
    size = taken[0].shape[:2]
    upstream: list[np.ndarray] = []
    for segment, x in zip(network.segments[::-1], taken[::-1], strict=True):
        stride, next_stride = stride_px(segment.first_block), stride_px(segment.last_block + 1)
        gradients = [np.zeros(x.shape, np.float32) for _ in range(chains)]
        for tile in tiles(size, segment, side_px):
            above = [tf.constant(gradient[tile.core(next_stride)]) for gradient in upstream]
            parts = work(segment, tf.constant(x[tile.whole(stride)]), tile, above)
            for gradient, part in zip(gradients, parts, strict=True):
                gradient[tile.whole(stride)] += part.numpy()
        upstream = gradients
    return upstream


def _empty(size: Size, segment: Segment) -> np.ndarray:
    """Return room for what a segment takes of a picture."""
    stride = stride_px(segment.first_block)
    return np.empty((size[0] // stride, size[1] // stride, segment.channels), segment.dtype.as_numpy_dtype)
