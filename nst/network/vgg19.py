"""VGG19 (Simonyan & Zisserman 2014) as a fixed function of an image, and the kinds of file its weights come in.

Kernels are [height, width, in, out] with RGB input; the network takes pixels in 0..255 less their mean.
"""

import itertools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import tensorflow as tf

from nst.layers import LAYERS, block_of, stride_px
from nst.network.weights import Weights
from nst.network.winograd import WinogradTiles, convolution

MEAN_RGB = (123.68, 116.779, 103.939)
FLOAT16_GRADIENT_SCALE = 2.0**20  # of gradients within the network, which are too small for float16
TILE_PX_PER_BLOCK = (4, 4, 4, 4, 2)  # the last block has most of the weights and least of the work

SEGMENT_BLOCKS = ((1, 2, 3), (4,), (5,))


@dataclass(frozen=True)
class Segment:
    """Some blocks of the network that follow each other, which can be computed on their own.

    first_block, last_block  1 to 5
    layers     those of its activations that are asked for
    reach_px   of the picture, how far beyond its own cell one of its activations sees in what the segment takes
    grid_px    tiles of a picture have to begin at multiples of it, so that its poolings and Winograd's tiles lie as in
               the whole picture
    channels, dtype  of what it takes: an image, or what the segment before leaves
    run        x [height, width, channels] -> layer -> activation [height, width, channels], and what the next segment
               takes; the last one leaves None
    """

    first_block: int
    last_block: int
    layers: tuple[str, ...]
    reach_px: int
    grid_px: int
    channels: int
    dtype: tf.DType
    run: Callable[[tf.Tensor], tuple[dict[str, tf.Tensor], tf.Tensor | None]]


@dataclass(frozen=True)
class Network:
    """The network: an image -> layer -> activation [positions, channels]. It consists of segments.

    The image is float32 [height, width, 3] in [0, 1]; an activation is bfloat16 where the convolutions are, else
    float32: float16 would not hold the sums of its squares.
    """

    segments: tuple[Segment, ...]

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the activations by layer, [positions, channels]."""
        x: tf.Tensor | None = image
        found: dict[str, tf.Tensor] = {}
        for segment in self.segments:
            some, x = segment.run(x)
            found |= {layer: flat(activation) for layer, activation in some.items()}
        return found


def flat(activation: tf.Tensor) -> tf.Tensor:
    """Return an activation [height, width, channels] as [positions, channels]."""
    return tf.reshape(activation, [-1, activation.shape[-1]])


def build_network(
    weights: Weights, layers: Iterable[str], *, pooling: str = "max", precision: str = "float32"
) -> Network:
    """Return the network from an image to the activations, after ReLU, of `layers`.

    pooling    'max' as trained, or 'avg' as Gatys et al. advise.
    precision  'float32', 'bfloat16' or 'float16', the type of the convolutions.
    """
    wanted = frozenset(layers)
    needed = LAYERS[: 1 + max(LAYERS.index(layer) for layer in wanted)]
    groups = [[layer for layer in needed if block_of(layer) in blocks] for blocks in SEGMENT_BLOCKS]
    groups = [group for group in groups if group]
    return Network(
        tuple(
            _segment(weights, group, wanted, last=group is groups[-1], pooling=pooling, precision=precision)
            for group in groups
        )
    )


def _segment(
    weights: Weights, layers: list[str], wanted: Collection[str], *, last: bool, pooling: str, precision: str
) -> Segment:
    """Return the segment of these layers, which ends with a pooling unless it is the last one."""
    pool = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}[pooling]
    dtype = tf.dtypes.as_dtype(precision)
    convolutions = {
        layer: convolution(weights[layer][0], precision, TILE_PX_PER_BLOCK[block_of(layer) - 1]) for layer in layers
    }
    biases = {layer: tf.constant(weights[layer][1], dtype) for layer in layers}
    found_dtype = tf.bfloat16 if precision == "bfloat16" else tf.float32
    gradient_scale = FLOAT16_GRADIENT_SCALE if precision == "float16" else 1.0
    first_block, last_block = block_of(layers[0]), block_of(layers[-1])

    def run(x: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor | None]:
        if first_block == 1:
            x = tf.cast(_with_scaled_gradient(x, 1 / gradient_scale) * 255.0 - tf.constant(MEAN_RGB), dtype)
        x, block = x[None], 0
        found = {}
        for layer, following in itertools.zip_longest(layers, layers[1:]):
            if block_of(layer) != block:
                block = block_of(layer)
                tiles = WinogradTiles(x, TILE_PX_PER_BLOCK[block - 1])
            x = convolutions[layer](x, tiles)
            pooled = not last if following is None else block_of(following) != block
            if pooled and pooling == "max" and layer not in wanted:
                x, pooled = pool(x, 2, 2, "VALID"), False  # the maximum and ReLU commute; on a quarter, it is quicker
            x = tf.nn.relu(tf.nn.bias_add(x, biases[layer]))
            if layer in wanted:
                found[layer] = _with_scaled_gradient(tf.cast(tf.squeeze(x, 0), found_dtype), gradient_scale)
            x = pool(x, 2, 2, "VALID") if pooled else x
        return found, None if last else tf.squeeze(x, 0)

    return Segment(
        first_block,
        last_block,
        tuple(layer for layer in layers if layer in wanted),
        sum(stride_px(block_of(layer)) for layer in layers),
        stride_px(last_block) * (TILE_PX_PER_BLOCK[last_block - 1] if precision == "float32" else 2),
        3 if first_block == 1 else weights[layers[0]][0].shape[2],
        tf.float32 if first_block == 1 else dtype,
        run,
    )


def _with_scaled_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """Return x; its gradient is multiplied by the factor."""
    if factor == 1:
        return x
    return tf.custom_gradient(lambda y: (tf.identity(y), lambda upstream: factor * upstream))(x)
