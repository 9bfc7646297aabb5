"""The network applied to a large picture tile by tile, forward and backward. Callers give the work for each tile.

The walk goes segment by segment. A segment's output for the whole picture is small, and so is kept: the next segment
needs no halo for the segments before it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nst.layers import stride_of, stride_px
from nst.network.vgg19 import Network, Reader, Segment, the_activation
from nst.pictures.resizing import Size
from nst.system.large_arrays import drop_pages, empty, zeros
from nst.transfer.tiles import Tile, tiles

# (segment, the tile's input, tile) -> the segment's output cropped to the core, or None for the last segment.
ForwardOnTile = Callable[[Segment, tf.Tensor, Tile], tf.Tensor | None]
# (segment, the tile's input, tile, d/d(output) of each chain, cropped to the core; empty for the last segment)
# -> d/d(input) of each chain, float32.
BackwardOnTile = Callable[[Segment, tf.Tensor, Tile, list[tf.Tensor]], list[tf.Tensor]]


def run_on_core(
    segment: Segment, x: tf.Tensor, edges: tf.Tensor, read: Reader = the_activation, *, one_way_back: bool = False
) -> tuple[dict[str, Any], tf.Tensor | None]:
    """Return what is read of a segment by layer, and its output, for the core of the tile with the input x.

    edges         the core_edges of the tile; see Tile
    one_way_back  see Network.readings
    """
    found, output = segment.run(
        x, lambda name, whole: read(name, _cropped(whole, edges, stride_of(name))), one_way_back=one_way_back
    )
    return found, None if output is None else _cropped(output, edges, stride_px(segment.last_block + 1))


def _cropped(array: tf.Tensor, edges: tf.Tensor, stride: int) -> tf.Tensor:
    """Return the core of a tile's array [height, width, channels] whose positions are `stride` px apart.

    By tf.slice, since the gradient of indexing takes twenty times as long.
    """
    start, stop = edges[:, 0] // stride, edges[:, 1] // stride
    channels = tf.constant([array.shape[2]])
    return tf.slice(array, tf.concat([start, [0]], 0), tf.concat([stop - start, channels], 0))


def walk_forward(
    network: Network, image: np.ndarray, side_px: int, run: ForwardOnTile, *, grid_px: int = 1
) -> Iterator[np.ndarray]:
    """Yield the input of each segment for the whole picture. `run` has then been called for the segments before it.

    side_px  the side of tiles for block 1; see tiles
    grid_px  tiles start at multiples of this, a power of two, too
    """
    x, size = image, image.shape[:2]
    for index, segment in enumerate(network.segments):
        yield x
        stride, next_stride = stride_px(segment.first_block), stride_px(segment.last_block + 1)
        output = _room(size, network.segments[index + 1]) if index + 1 < len(network.segments) else None
        for tile in tiles_for(segment, size, side_px, grid_px):
            part = run(segment, tf.constant(x[tile.whole(stride)]), tile)
            if output is not None and part is not None:
                output[tile.core(next_stride)] = part.numpy()
            drop_pages()
        if output is not None:
            x = output


def maps_in_tiles(
    network: Network,
    image: np.ndarray,
    layers: Sequence[str],
    side_px: int,
    *,
    reduced: Callable[[tf.Tensor, str], tf.Tensor] = lambda activation, layer: activation,
    step_px: Callable[[str], int] = stride_of,
    grid_px: int = 1,
) -> dict[str, np.ndarray]:
    """Return the activations [height, width, channels] of an image by layer, of the network's type.

    side_px  the side of tiles for block 1; see tiles
    reduced  (activation of a core, layer) -> what is kept of it
    step_px  the distance in px of neighbours in what is kept of a layer
    grid_px  see walk_forward
    """
    whole: dict[str, np.ndarray] = {}

    def keep(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
        for layer in set(layers) & set(found):
            part, step = reduced(found[layer], layer).numpy(), step_px(layer)
            if layer not in whole:
                whole[layer] = empty((*(side // step for side in image.shape[:2]), part.shape[2]), part.dtype)
            whole[layer][tile.core(step)] = part
        return output

    deque(walk_forward(network, image, side_px, keep, grid_px=grid_px), maxlen=0)
    return {layer: whole[layer] for layer in layers}


def walk_backward(
    network: Network, inputs: Sequence[np.ndarray], side_px: int, chains: int, run: BackwardOnTile, *, grid_px: int = 1
) -> list[np.ndarray]:
    """Return d/d(image) of each chain.

    inputs  the input of each segment for the whole picture, as walk_forward yields them
    chains  the number of chains
    grid_px as walk_forward has it
    """
    size = inputs[0].shape[:2]
    upstream: list[np.ndarray] = []
    for segment, x in zip(network.segments[::-1], inputs[::-1], strict=True):
        stride, next_stride = stride_px(segment.first_block), stride_px(segment.last_block + 1)
        gradients = [zeros(x.shape) for _ in range(chains)]
        for tile in tiles_for(segment, size, side_px, grid_px):
            above = [tf.constant(gradient[tile.core(next_stride)]) for gradient in upstream]
            parts = run(segment, tf.constant(x[tile.whole(stride)]), tile, above)
            for gradient, part in zip(gradients, parts, strict=True):
                gradient[tile.whole(stride)] += part.numpy()
            drop_pages()
        upstream = gradients
    return upstream


def tiles_for(segment: Segment, size: Size, side_px: int, grid_px: int = 1) -> list[Tile]:
    """Return the tiles of a picture for a segment; see tiles and walk_forward."""
    return tiles(size, segment.first_block, segment.reach_px, max(segment.grid_px, grid_px), side_px)


def _room(size: Size, segment: Segment) -> np.ndarray:
    """Return an empty array for the input of a segment for a whole picture."""
    stride = stride_px(segment.first_block)
    return empty((size[0] // stride, size[1] // stride, segment.channels), segment.dtype.as_numpy_dtype)
