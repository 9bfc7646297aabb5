"""Places: squares of the picture, each with the activations of several layers there. Together they are a hypercolumn.

Hariharan et al. 2015, "Hypercolumns for object segmentation and fine-grained localization". The activations of a finer
layer are averaged over the place; those of a coarser layer are the same for all places in its cell. Both look only at
the place itself, and so a picture in tiles has the same hypercolumns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nst.layers import block_of, stride_px
from nst.network.vgg19 import Network, Segment
from nst.pictures.resizing import Size
from nst.transfer.tile_walk import run_on_core, walk_forward
from nst.transfer.tiles import Tile, fits

PLACE_PX = 4  # The side of a place in a picture of up to MATCH_PX.
MATCH_PX = 640  # The long side up to which places are PLACE_PX wide. They are twice as wide up to twice the side.


def place_px(size: Size) -> int:
    """Return the side of the places in pictures of a size. The number of places is so limited."""
    side = PLACE_PX
    while max(size) * PLACE_PX > MATCH_PX * side:
        side *= 2
    return side


def grid_of(size: Size, side_px: int) -> Size:
    """Return the rows and columns of places in a picture."""
    return size[0] // side_px, size[1] // side_px


def at_places(share: np.ndarray, side_px: int) -> np.ndarray:
    """Return the means of pixels [height, width, 1] over the places, [places]."""
    rows, columns = grid_of(share.shape[:2], side_px)
    cells = share[: rows * side_px, : columns * side_px].reshape(rows, side_px, columns, side_px)
    return cells.mean(axis=(1, 3)).ravel()


def averaged(activation: tf.Tensor, layer: str, side_px: int) -> tf.Tensor:
    """Return the activation [height, width, channels] of a layer, averaged over places where the layer is finer."""
    ratio = side_px // stride_px(block_of(layer))
    activation = tf.cast(activation, tf.float32)
    return tf.nn.avg_pool2d(activation[None], ratio, ratio, "VALID")[0] if ratio > 1 else activation


def repeated(activation: tf.Tensor, layer: str, side_px: int, grid: Sequence[tf.Tensor | int]) -> tf.Tensor:
    """Return an averaged activation at the places of a grid, [places, channels].

    grid  the rows and columns of places. A last row or column that the layer no longer has is that before it.
    """
    ratio = stride_px(block_of(layer)) // side_px
    if ratio > 1:
        height, width, channels = tf.unstack(tf.shape(activation))
        wide = tf.broadcast_to(activation[:, None, :, None], [height, ratio, width, ratio, channels])
        wide = tf.reshape(wide, [ratio * height, ratio * width, channels])
        missing = [[0, grid[0] - ratio * height], [0, grid[1] - ratio * width], [0, 0]]
        activation = tf.pad(wide, missing, "SYMMETRIC")
    return tf.reshape(activation, [-1, activation.shape[-1]])


def hypercolumns(
    network: Network, image: np.ndarray, layers: Sequence[str], side_px: int, tile_px: int
) -> dict[str, np.ndarray]:
    """Return the activations of the layers at the places of an image, [places, channels].

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    size, whole = image.shape[:2], {}
    if fits(size, tile_px):
        for layer, found in network.maps(tf.constant(image)).items():
            if layer in layers:
                whole[layer] = averaged(found, layer, side_px)
    else:
        rooms: dict[str, np.ndarray] = {}

        def keep(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
            found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
            for layer in set(layers) & set(found):
                side, part = max(side_px, stride_px(block_of(layer))), averaged(found[layer], layer, side_px).numpy()
                if layer not in rooms:
                    rooms[layer] = np.empty((*grid_of(size, side), part.shape[2]), np.float32)
                rooms[layer][tile.core(side)] = part
            return output

        deque(walk_forward(network, image, tile_px, keep, grid_px=side_px), maxlen=0)
        whole = {layer: tf.constant(room) for layer, room in rooms.items()}
    grid = grid_of(size, side_px)
    return {layer: repeated(whole[layer], layer, side_px, grid).numpy() for layer in layers}
