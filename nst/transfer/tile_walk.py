"""The walk through the network over the tiles of a picture, forward and back. What is done on the way others say.

The network is walked segment by segment: what one leaves of the whole picture is small, and so is kept; the next one
needs no halo for those before it.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from nst.layers import stride_px
from nst.network.vgg19 import Network, Segment
from nst.pictures.resizing import Size
from nst.transfer.tiles import Tile, tiles

# Takes a segment, what it takes of the tile, and the tile; returns what it leaves of the core, None after the last.
Forward = Callable[[Segment, tf.Tensor, Tile], tf.Tensor | None]
# Also takes d/d(what it left of the core) of each chain, if it left any; returns d/d(what it took) of each, float32.
Backward = Callable[[Segment, tf.Tensor, Tile, list[tf.Tensor]], list[tf.Tensor]]


def tiles_of(size: Size, segment: Segment, side_px: int) -> list[Tile]:
    """Return the tiles of a picture for a segment."""
    return tiles(size, segment.first_block, segment.reach_px, segment.grid_px, side_px)


def walk(network: Network, image: np.ndarray, side_px: int, work: Forward) -> Iterator[np.ndarray]:
    """Yield what each segment takes of the whole picture, `work` done for its tiles when the next one is asked for."""
    x, size = image, image.shape[:2]
    for index, segment in enumerate(network.segments):
        yield x
        stride, next_stride = stride_px(segment.first_block), stride_px(segment.last_block + 1)
        left = _empty(size, network.segments[index + 1]) if index + 1 < len(network.segments) else None
        for tile in tiles_of(size, segment, side_px):
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
        for tile in tiles_of(size, segment, side_px):
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
