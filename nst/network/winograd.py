"""The 3x3 convolution with a constant kernel, in the way that is fastest on the machine.

Winograd's minimal filtering (Lavin & Gray 2016) makes a tile of m x m pixels with (m + 2)² products instead of 9 m²: 36
instead of 144 at m = 4. The products of all tiles are (m + 2)² matrix products of [tiles, in] and [in, out].
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from nst.network.device import device
from nst.network.operations import convolved, transpose_convolved

FEWEST_CHANNELS = 64  # With fewer channels in or out, Winograd's transforms cost more than the products that it saves.
MOST_CHANNELS_DIRECT = 64  # With no more channels than this, both in and out, the convolution is direct.
# By the side of the tile, the points at which polynomials are evaluated. With each point a there is 1/a, so that one
# transformed kernel serves both forward and backward.
POINTS = {2: (0.0, 1.0, -1.0), 4: (0.0, 1.0, -1.0, 2.0, 0.5)}


@dataclass(frozen=True)
class Transforms:
    """The matrices of one dimension for tiles of m pixels, with n = m + 2: output [m, n], kernel [n, 3], input [n, n].

    A row of pixels x correlated with a kernel w is output @ ((kernel @ w) * (input @ x)).
    """

    output: np.ndarray
    kernel: np.ndarray
    input: np.ndarray


class WinogradTiles:
    """The places of tiles in images [1, height, width, channels]: made once for all layers of one size, if at all."""

    def __init__(self, images: tf.Tensor, side: int) -> None:
        """Lay tiles of side x side px, each with a border of 1 px, over images of the shape of these."""
        self.side = side
        self.shape = tf.shape(images)

    @cached_property
    def size(self) -> list[tf.Tensor]:
        """Return the height and the width of the images."""
        found: list[tf.Tensor] = tf.unstack(self.shape)[1:3]
        return found

    @cached_property
    def counts(self) -> list[tf.Tensor]:
        """Return the numbers of rows and of columns of tiles."""
        return [-(-side // self.side) for side in self.size]

    @cached_property
    def pixels(self) -> tf.Tensor:
        """Return the places of the tiles' pixels in the padded image, ordered by the place in the tile."""
        border = tf.range(self.side + 2)[:, None]
        rows, columns = self.counts
        y = (tf.range(rows) * self.side + border) * (columns * self.side + 2)
        x = tf.range(columns) * self.side + border
        return tf.reshape(y[:, None, :, None] + x[:, None, :], [-1])

    @cached_property
    def places(self) -> tf.Tensor:
        """Return the place of each pixel of the image in [side, side, rows, columns]."""
        (rows, columns), (y, x) = self.counts, map(tf.range, self.size)
        y = y % self.side * self.side * rows * columns + y // self.side * columns
        x = x % self.side * rows * columns + x // self.side
        return y[:, None] + x

    def cut(self, images: tf.Tensor) -> tf.Tensor:
        """Return the tiles with their borders, zero outside the images: [(side + 2)² tiles, channels].

        Ordered by the place in the tile.
        """
        bottom, right = (count * self.side - side + 1 for count, side in zip(self.counts, self.size, strict=True))
        padded = tf.pad(images[0], [[1, bottom], [1, right], [0, 0]])
        return tf.gather(tf.reshape(padded, [-1, images.shape[3]]), self.pixels)

    def join(self, tiles: tf.Tensor) -> tf.Tensor:
        """Return the images that tiles without borders make: [side² tiles, channels], ordered as by `cut`."""
        return tf.gather(tiles, self.places)[None]


Gradient = Callable[[tf.Tensor], tf.Tensor]  # The upstream gradient -> d/d(input).
Convolution = Callable[[tf.Tensor, WinogradTiles], tf.Tensor]  # [1, height, width, in] -> [1, height, width, out].


def convolution(kernel: np.ndarray, precision: str, tile: int) -> Convolution:
    """Return the convolution with a kernel [3, 3, in, out], differentiable in its input. Outside its input is zero.

    precision  'float32', 'bfloat16' or 'float16'
    tile       the side of the WinogradTiles in px: 4, or 2, which is slower but takes 4 / 9 of the memory for kernels
    """
    if precision != "float32" or device().is_gpu:
        fixed = tf.constant(kernel, precision)
        return lambda x, tiles: convolved(x, fixed)
    channels = kernel.shape[2:]
    if min(channels) >= FEWEST_CHANNELS and max(channels) > MOST_CHANNELS_DIRECT:
        return winograd_convolution(kernel, tile)
    return direct_convolution(kernel)


def direct_convolution(kernel: np.ndarray) -> Convolution:
    """Return the convolution, computed as the transpose of the convolution with the kernel turned by 180 degrees.

    On processors without AVX512, TensorFlow's float32 transpose runs up to three times as fast as its convolution.
    """
    straight = tf.constant(kernel)
    turned = tf.constant(np.ascontiguousarray(kernel[::-1, ::-1].swapaxes(2, 3)))

    @tf.custom_gradient
    def convolve(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        return transpose_convolved(x, turned), lambda upstream: transpose_convolved(upstream, straight)

    return lambda x, tiles: convolve(x)


def winograd_convolution(kernel: np.ndarray, tile: int) -> Convolution:
    """Return the convolution by Winograd's F(tile x tile, 3 x 3). Its gradient uses the same transformed kernel."""
    forward, backward = transforms(tile), turned_transforms(tile)
    products = np.kron(forward.kernel, forward.kernel) @ kernel.reshape(9, -1)  # G w Gᵀ, for all channels at once
    transformed = tf.constant(products.reshape(-1, *kernel.shape[2:]), tf.float32)

    def convolve(x: tf.Tensor, tiles: WinogradTiles) -> tf.Tensor:
        @tf.custom_gradient
        def apply(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                return _by_tiles(upstream, tiles, backward, lambda t: tf.matmul(t, transformed, transpose_b=True))

            return _by_tiles(x, tiles, forward, lambda t: tf.matmul(t, transformed)), gradient

        return apply(x)

    return convolve


def transforms(tile: int) -> Transforms:
    """Return Cook's and Toom's transforms for tiles of 2 or 4 pixels: from polynomials at POINTS and at infinity."""
    points = np.array(POINTS[tile])
    others = [np.delete(points, index) for index in range(len(points))]
    output = np.zeros((tile, tile + 2))
    output[:, :-1] = points ** np.arange(tile)[:, None]
    output[-1, -1] = 1
    kernel = np.zeros((tile + 2, 3))
    kernel[:-1] = points[:, None] ** np.arange(3)
    kernel[-1, -1] = 1
    into = np.zeros((tile + 2, tile + 2))
    for row, point, rest in zip(into, points, others, strict=False):
        row[:-1] = np.poly(rest)[::-1] / np.prod(point - rest)
    into[-1] = np.poly(points)[::-1]
    return Transforms(output, kernel, into)


def turned_transforms(tile: int) -> Transforms:
    """Return the transforms that convolve with the kernel turned by 180 degrees, given the kernel as it is.

    The polynomial of the turned kernel has, at a point a, a² times the value of the kernel's polynomial at 1/a; and at
    0, the latter's value at infinity.
    """
    straight = transforms(tile)
    points = POINTS[tile]
    mates = [tile + 1, *(points.index(1 / a) for a in points[1:]), 0]
    factors = np.array([1, *(a**2 for a in points[1:]), 1])
    return Transforms((straight.output * factors)[:, mates], straight.kernel, straight.input[mates])


def _by_tiles(
    x: tf.Tensor, tiles: WinogradTiles, matrices: Transforms, multiply: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Return the convolution of x.

    multiply  the product with the transformed kernel: [n², tiles, in] -> [n², tiles, out]
    """
    cut = _on_both_sides(matrices.input, tiles.cut(x))
    products = multiply(tf.reshape(cut, [(tiles.side + 2) ** 2, -1, x.shape[3]]))
    return tiles.join(tf.reshape(_on_both_sides(matrices.output, products), [-1, products.shape[2]]))


def _on_both_sides(matrix: np.ndarray, tiles: tf.Tensor) -> tf.Tensor:
    """Return M T Mᵀ for many small matrices T at once: [n, n, ...], flattened in any way."""
    to, n = matrix.shape
    factor = tf.constant(matrix, tf.float32)
    half = tf.matmul(factor, tf.reshape(tiles, [n, -1]))
    return tf.matmul(factor, tf.reshape(half, [to, n, -1]))
