"""Where the tiles of a large picture lie. No TensorFlow.

A tile is a core and, around the core, a halo: so wide that the network finds in the core what it finds there in the
whole picture. As always, the network sees zeros only beyond the picture's real edges.
"""

import itertools
import math
from dataclasses import dataclass

from nst.layers import stride_of
from nst.pictures.resizing import Size

# By the first block of a segment: the width of its tiles, as a multiple of the width in block 1. Activations of later
# blocks are smaller, so that larger tiles fit in the same memory.
WIDTH_FACTORS = {1: 1, 4: 2, 5: 4}
UNTILED_PX = 1_000_000  # The side of a tile larger than any picture.
SIDES_PX = range(2048, 255, -64)  # The sides of tiles to choose from.


@dataclass(frozen=True)
class Span:
    """A tile along one dimension, in px of the picture: where the tile starts and stops, and where its core does."""

    start: int
    core_start: int
    core_stop: int
    stop: int

    def whole(self, stride: int) -> slice:
        """Return the slice of the tile in an array of the picture whose positions are `stride` px apart."""
        return slice(self.start // stride, self.stop // stride)

    def core(self, stride: int) -> slice:
        """Return the slice of the core in an array of the picture whose positions are `stride` px apart."""
        return slice(self.core_start // stride, self.core_stop // stride)


@dataclass(frozen=True)
class Tile:
    """A tile of a picture. Its slices index arrays [height, width, ...] whose positions are `stride` px apart."""

    rows: Span
    columns: Span

    def whole(self, stride: int) -> tuple[slice, slice]:
        """Return the slices of the tile in an array of the picture."""
        return self.rows.whole(stride), self.columns.whole(stride)

    def core(self, stride: int) -> tuple[slice, slice]:
        """Return the slices of the core in an array of the picture."""
        return self.rows.core(stride), self.columns.core(stride)

    @property
    def core_edges(self) -> list[list[int]]:
        """Return the edges of the core within the tile, in px: [[top, bottom], [left, right]]."""
        return [[span.core_start - span.start, span.core_stop - span.start] for span in (self.rows, self.columns)]


def fits(size: Size, tile_px: int) -> bool:
    """Return whether a picture has no more pixels than a tile. Such a picture is computed in one piece."""
    return size[0] * size[1] <= tile_px**2


def tiles(size: Size, first_block: int, reach_px: int, grid_px: int, side_px: int) -> list[Tile]:
    """Return the tiles of a picture for a segment of the network, row by row.

    first_block  the first block of the segment
    reach_px     how far beyond its own cell an activation of the segment sees
    grid_px      tiles start at multiples of this
    side_px      the side of tiles for block 1

    Tiles are wider than that where the halos would leave hardly anything to the core.
    """
    halo = math.ceil(reach_px / grid_px) * grid_px
    rows, columns = (spans(length, WIDTH_FACTORS[first_block] * side_px, halo, grid_px) for length in size)
    return [Tile(*pair) for pair in itertools.product(rows, columns)]


def spans(length: int, side: int, halo: int, grid: int) -> list[Span]:
    """Return tiles along `length` px that start at multiples of `grid`. All but the last one are equally wide.

    TensorFlow prepares itself anew for each new shape, and keeps what it prepared. The first and the last tile have a
    halo on one side only, and so a wider core.
    """
    least_core = max(grid, side - 2 * halo)
    if length <= max(side, 2 * halo + least_core):
        return [Span(0, 0, length, length)]
    count = math.ceil((length - 2 * halo) / least_core)
    width = math.ceil((length + 2 * (count - 1) * halo) / count / grid) * grid
    last = max(0, (length - width) // grid * grid)
    starts = [*range(0, last, width - 2 * halo), last]
    bounds = [0, *(start + halo for start in starts[1:]), length]
    return [
        Span(start, core_start, core_stop, length if start == last else start + width)
        for start, (core_start, core_stop) in zip(starts, itertools.pairwise(bounds), strict=True)
    ]


def smaller_side(size: Size, side_px: int) -> int:
    """Return the side of tiles that take a quarter of the memory, for pictures of a size, or 0 if there is none."""
    return next((side for side in SIDES_PX if 2 * side <= min(side_px, max(size))), 0)


def fraction_in_core(tile: Tile, size: Size, layer: str) -> float:
    """Return the fraction of a layer's positions, in a picture of `size`, that lie in the core of a tile."""
    stride = stride_of(layer)
    rows, columns = tile.core(stride)
    return (rows.stop - rows.start) * (columns.stop - columns.start) / ((size[0] // stride) * (size[1] // stride))
