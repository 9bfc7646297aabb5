"""Places: squares of the picture, each with the activations of several layers there. Together they are a hypercolumn.

Hariharan et al. 2015, "Hypercolumns for object segmentation and fine-grained localization". The activations of a finer
layer are averaged over the place; those of a coarser layer are the same for all places under its position. Both look
only at the place itself, and so a picture in tiles has the same hypercolumns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import stride_of
from nst.network.operations import average_pool
from nst.network.vgg19 import Network
from nst.pictures.resizing import Size
from nst.system.large_arrays import strips
from nst.transfer.tile_walk import maps_in_tiles
from nst.transfer.tiles import fits

PLACE_PX = 4  # The least side of a place.
PLACES_PX = 640  # The long side up to which places are PLACE_PX wide. They are twice as wide up to twice the side.


class Places(NamedTuple):
    """How a picture is divided into places: the side of a place, and that of a square of whole places, in px.

    A square belongs to one position of the coarsest layer. What is left of a picture beyond the last square has no
    place.
    """

    side_px: int
    square_px: int

    def grid(self, size: Sequence[int | tf.Tensor]) -> tuple[int | tf.Tensor, int | tf.Tensor]:
        """Return the rows and columns of places in a picture of a size."""
        rows, columns = (side // self.square_px * (self.square_px // self.side_px) for side in size)
        return rows, columns

    def along(self, layer: str) -> int:
        """Return the number of places, along one side, that belong to one position of a layer."""
        return max(1, stride_of(layer) // self.side_px)

    def step_px(self, layer: str) -> int:
        """Return the distance in px of a layer's positions, averaged over places where the layer is finer."""
        return max(self.side_px, stride_of(layer))

    def averaged(self, activation: tf.Tensor, layer: str) -> tf.Tensor:
        """Return the activation [height, width, channels] of a layer, averaged over places where the layer is finer.

        An average is of the activation's type, which is quicker. An axis is added by a reshape: the gradient of
        indexing makes a copy.
        """
        ratio = self.side_px // stride_of(layer)
        if ratio <= 1:
            return activation
        return tf.squeeze(average_pool(tf.expand_dims(activation, 0), ratio), 0)

    def in_order(self, values: tf.Tensor, layer: str, size: Sequence[tf.Tensor]) -> tf.Tensor:
        """Return values at the places that belong to each position of a layer, row by row of places.

        values  [positions, places, n]
        size    of the picture, or of the core of a tile
        """
        along, step, n = self.along(layer), self.step_px(layer), values.shape[-1]
        (height, width), (rows, columns) = (side // step for side in size), self.grid(size)
        if along > 1:
            values = tf.transpose(tf.reshape(values, [height, width, along, along, n]), [0, 2, 1, 3, 4])
            height, width = height * along, width * along
        return tf.reshape(tf.reshape(values, [height, width, n])[:rows, :columns], [-1, n])

    def by_position(self, values: np.ndarray, layer: str, size: Size, *, beyond: float = 0) -> np.ndarray:
        """Return values [places], which are in order, as [positions, places] of a layer: the inverse of in_order.

        beyond  the value of the places that a layer has beyond the last square
        """
        along, step = self.along(layer), self.step_px(layer)
        height, width = (side // step for side in size)
        rows, columns = self.grid(size)
        table = np.full((height * along, width * along), beyond, values.dtype)
        table[:rows, :columns] = values.reshape(rows, columns)
        return table.reshape(height, along, width, along).transpose(0, 2, 1, 3).reshape(-1, along**2)

    def whole(self, averages: np.ndarray, layer: str, size: Size) -> np.ndarray:
        """Return the averages [height, width, channels] of a layer without what is beyond the last square."""
        rows, columns = (side // self.along(layer) for side in self.grid(size))
        return averages[:rows, :columns]

    def repeated(self, values: np.ndarray, layer: str) -> np.ndarray:
        """Return values [height, width, n] of a layer of hypercolumns at all places, row by row, [places, n]."""
        along = self.along(layer)
        return values.repeat(along, axis=0).repeat(along, axis=1).reshape(-1, values.shape[2])

    def chosen(self, values: np.ndarray, layer: str, where: np.ndarray) -> np.ndarray:
        """Return values [height, width, n] of a layer of hypercolumns at some places, [chosen, n].

        where  numbers of places, row by row
        """
        along = self.along(layer)
        rows, columns = np.divmod(where, values.shape[1] * along)
        return values[rows // along, columns // along]

    def means(self, share: np.ndarray) -> np.ndarray:
        """Return the means of pixels [height, width, 1] over the places, [places]."""
        side, (rows, columns) = self.side_px, self.grid(share.shape[:2])
        found = np.empty((rows, columns), np.float32)
        for strip in strips((rows * side, share.shape[1]), side):
            pixels = share[strip, : columns * side].reshape(-1, side, columns, side)
            found[strip.start // side : strip.stop // side] = pixels.mean(axis=(1, 3))
        return found.ravel()


def places_of(size: Size, layers: Sequence[str]) -> Places:
    """Return the places of pictures of a size. The larger the picture, the wider they are: so their number is limited.

    layers  those of the hypercolumns
    """
    side = PLACE_PX
    while max(size) * PLACE_PX > PLACES_PX * side:
        side *= 2
    return Places(side, max([side, *(stride_of(layer) for layer in layers)]))


def hypercolumns(
    network: Network, image: np.ndarray, layers: Sequence[str], places: Places, tile_px: int
) -> dict[str, np.ndarray]:
    """Return the hypercolumns of an image, by layer: [height, width, channels] of the places or positions of a layer.

    The array of a layer that is coarser than the places is smaller; see Places.repeated and Places.chosen.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    size, network = image.shape[:2], network.up_to(layers)
    if fits(size, tile_px):
        averages = network.readings(
            tf.constant(image), lambda layer, found: places.averaged(found, layer) if layer in layers else None
        )
    else:
        averages = maps_in_tiles(
            network,
            image,
            layers,
            tile_px,
            reduced=places.averaged,
            step_px=places.step_px,
            grid_px=places.square_px,
        )
    whole = {layer: tf.cast(averages[layer], tf.float32).numpy() for layer in layers}
    return {layer: places.whole(found, layer, size) for layer, found in whole.items()}
