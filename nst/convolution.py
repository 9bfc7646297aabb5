"""The 3x3 convolution with a kernel that never changes, in the way that is fastest on the machine.

Winograd's minimal filtering (Lavin & Gray 2016) makes a tile of m x m pixels from (m + 2)² products instead of 9 m²: 36
instead of 144 at m = 4. The products of all tiles are (m + 2)² matrix products of [tiles, in] and [in, out].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

Convolution = Callable[[tf.Tensor], tf.Tensor]  # [1, height, width, in] -> [1, height, width, out], padded with zeros

FEWEST_CHANNELS = 64  # that a kernel must take and give for Winograd's products to outweigh its transforms,
MOST_CHANNELS_DIRECT = 64  # and more than so many on one side
POINTS = {2: (0.0, 1.0, -1.0), 4: (0.0, 1.0, -1.0, 2.0, 0.5)}  # by tile; with 1/a for each a, so that one kernel serves


@dataclass(frozen=True)
class Transforms:
    """The matrices of one dimension for tiles of m pixels, n = m + 2: output [m, n], kernel [n, 3], input [n, n].

    A row of pixels x correlated with a kernel w is output @ ((kernel @ w) * (input @ x)).
    """

    output: np.ndarray
    kernel: np.ndarray
    input: np.ndarray


def convolution(kernel: np.ndarray, precision: str, *, tile: int = 4) -> Convolution:
    """Return the convolution with a kernel [3, 3, in, out], differentiable in its input.

    precision  'float32' or 'bfloat16'
    tile       side in px of Winograd's tiles: 4, or 2, which is slower and keeps a kernel of 4 / 9 of the size
    """
    if precision != "float32" or tf.config.list_physical_devices("GPU"):
        fixed = tf.constant(kernel, precision)
        return lambda x: tf.nn.conv2d(x, fixed, 1, "SAME")
    channels = kernel.shape[2:]
    if min(channels) >= FEWEST_CHANNELS and max(channels) > MOST_CHANNELS_DIRECT:
        return winograd_convolution(kernel, tile)
    return direct_convolution(kernel)


def direct_convolution(kernel: np.ndarray) -> Convolution:
    """Return the convolution, computed as the transpose of the one with the kernel turned by 180 degrees.

    On processors without AVX512, TensorFlow's float32 transpose runs up to three times as fast as its convolution.
    """
    straight = tf.constant(kernel)
    turned = tf.constant(np.ascontiguousarray(kernel[::-1, ::-1].swapaxes(2, 3)))

    @tf.custom_gradient
    def convolve(x: tf.Tensor) -> tuple[tf.Tensor, Convolution]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.nn.conv2d_transpose(upstream, straight, x.shape, 1, "SAME")

        return tf.nn.conv2d_transpose(x, turned, [*x.shape[:3], kernel.shape[3]], 1, "SAME"), gradient

    return convolve


def winograd_convolution(kernel: np.ndarray, tile: int) -> Convolution:
    """Return the convolution by Winograd's F(tile x tile, 3 x 3). Its gradient takes the same transformed kernel."""
    forward, backward = transforms(tile), turned_transforms(tile)
    transformed = tf.constant(
        np.einsum("ia,jb,abck->ijck", forward.kernel, forward.kernel, kernel, optimize=True)
        .reshape((tile + 2) ** 2, *kernel.shape[2:])
        .astype(np.float32)
    )

    @tf.custom_gradient
    def convolve(x: tf.Tensor) -> tuple[tf.Tensor, Convolution]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return _by_tiles(upstream, backward, lambda tiles: tf.matmul(tiles, transformed, transpose_b=True))

        return _by_tiles(x, forward, lambda tiles: tf.matmul(tiles, transformed)), gradient

    return convolve


def transforms(tile: int) -> Transforms:
    """Return Cook's and Toom's transforms for tiles of 2 or 4 pixels: values of polynomials at POINTS and infinity."""
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
    """Return the transforms that convolve with the kernel turned by 180 degrees, from the kernel as `transforms` has it.

    Turned, w's polynomial has at a point a the value a² times that of w at 1/a, and at 0 that of w at infinity.
    """
    straight = transforms(tile)
    points = POINTS[tile]
    mates = [tile + 1, *(points.index(1 / a) for a in points[1:]), 0]
    factors = np.array([1, *(a**2 for a in points[1:]), 1])
    return Transforms((straight.output * factors)[:, mates], straight.kernel, straight.input[mates])


def _by_tiles(x: tf.Tensor, matrices: Transforms, multiply: Convolution) -> tf.Tensor:
    """Return the convolution of x; `multiply` takes all tiles' transforms [n², tiles, in] to [n², tiles, out]."""
    _, height, width, channels = x.shape
    m, n = matrices.output.shape
    rows, columns = -(-height // m), -(-width // m)
    padded = tf.pad(x[0], [[1, rows * m - height + 1], [1, columns * m - width + 1], [0, 0]])
    tiles = tf.gather(tf.reshape(padded, [-1, channels]), _pixels_of_tiles(rows, columns, m, n))
    products = multiply(tf.reshape(_on_both_sides(matrices.input, tiles), [n * n, rows * columns, channels]))
    pixels = tf.reshape(_on_both_sides(matrices.output, products), [-1, products.shape[-1]])
    return tf.gather(pixels, _tiles_of_pixels(height, width, rows, columns, m))[None]


def _on_both_sides(matrix: np.ndarray, tiles: tf.Tensor) -> tf.Tensor:
    """Return M T Mᵀ for each of many small T, whose two dimensions come first: [n, n, ...] flattened in any way."""
    to, n = matrix.shape
    factor = tf.constant(matrix, tiles.dtype)
    half = tf.matmul(factor, tf.reshape(tiles, [n, -1]))
    return tf.matmul(factor, tf.reshape(half, [to, n, -1]))


def _pixels_of_tiles(rows: int, columns: int, m: int, n: int) -> np.ndarray:
    """Return the flat index of pixel (y, x) of each tile in the padded image, [n, n, rows, columns] flattened."""
    y, x, row, column = np.ogrid[:n, :n, :rows, :columns]
    return ((row * m + y) * (columns * m + 2) + column * m + x).ravel().astype(np.int32)


def _tiles_of_pixels(height: int, width: int, rows: int, columns: int, m: int) -> np.ndarray:
    """Return for each pixel of the image its flat index in [m, m, rows, columns]."""
    y, x = np.ogrid[:height, :width]
    return (((y % m * m + x % m) * rows + y // m) * columns + x // m).astype(np.int32)
