"""Where the tiles of a large picture lie. No TensorFlow.

A tile has a core, which is its own, and around it a halo, wide enough that what the network makes of the core is as in
the whole picture. The network sees zeros only beyond the picture's real edges, as always.
"""

import itertools
import math
from dataclasses import dataclass

from nst.layers import block_of, stride_px
from nst.pictures.resizing import Size

ROOM = {1: 1, 4: 2, 5: 4}  # by first block, how many times as wide its tiles are: activations are smaller
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


def fits(size: Size, tile_px: int) -> bool:
    """Return whether a picture is no larger than a tile, and so computed in one piece."""
    return size[0] * size[1] <= tile_px**2


def tiles(size: Size, first_block: int, reach_px: int, grid_px: int, side_px: int) -> list[Tile]:
    """Return the tiles of a picture for some blocks of the network, row by row; those of block 1 are `side_px` wide.

    reach_px  how far beyond its own cell an activation in them sees
    grid_px   tiles begin at multiples of it

    They are wider where hardly anything would be left of the core.
    """
    halo = math.ceil(reach_px / grid_px) * grid_px
    rows, columns = (spans(length, ROOM[first_block] * side_px, halo, grid_px) for length in size)
    return [Tile(*pair) for pair in itertools.product(rows, columns)]


def spans(length: int, side: int, halo: int, grid: int) -> list[Span]:
    """Return tiles along `length` px, beginning at multiples of `grid`, all equally wide but for the last one.

    For each new shape TensorFlow would set itself up anew, and keep what it sets up. The first and the last tile need a
    halo on one side alone, and so have wider cores.
    """
    if length <= side:
        return [Span(0, 0, length, length)]
    count = math.ceil((length - 2 * halo) / max(grid, side - 2 * halo))
    width = math.ceil((length + 2 * (count - 1) * halo) / count / grid) * grid
    last = max(0, (length - width) // grid * grid)
    starts = [*range(0, last, width - 2 * halo), last]
    bounds = [0, *(start + halo for start in starts[1:]), length]
    return [
        Span(start, core_start, core_stop, length if start == last else start + width)
        for start, (core_start, core_stop) in zip(starts, itertools.pairwise(bounds), strict=True)
    ]


def share_of(tile: Tile, size: Size, layer: str) -> float:
    """Return how much of the positions of a layer, in a picture of `size`, are in the core of a tile."""
    stride = stride_px(block_of(layer))
    rows, columns = tile.core(stride)
    return (rows.stop - rows.start) * (columns.stop - columns.start) / ((size[0] // stride) * (size[1] // stride))
