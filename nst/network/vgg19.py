"""VGG19 (Simonyan & Zisserman 2014) as a fixed, differentiable function of an image.

Kernels are [height, width, in, out] with RGB input. VGG19 was trained on pixels in 0..255 less their mean, and so each
image is brought to that range first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from nst.layers import LAYERS, block_of, stride_of, stride_px
from nst.network.operations import average_pool, max_pool, relu
from nst.network.weights import Weights
from nst.network.winograd import WinogradTiles, convolution

MEAN_RGB = (123.68, 116.779, 103.939)  # The mean colour of the pictures that VGG19 was trained on.
# The factor that makes gradients within the network large enough for float16, and not too large in small pictures.
FLOAT16_GRADIENT_SCALE = 2.0**16
# By block, the side of Winograd's tiles. Tiles of 2 px save memory in the last block, which has most of the weights and
# least of the work.
WINOGRAD_PX = (4, 4, 4, 4, 2)
SEGMENT_BLOCKS = ((1, 2, 3), (4,), (5,))  # The blocks of each segment.

# (layer, activation [height, width, channels]) -> what is read of it: tensors in any nest of lists, tuples and dicts.
Reader = Callable[[str, tf.Tensor], Any]


def the_activation(layer: str, activation: tf.Tensor) -> tf.Tensor:
    """Return the activation. This is a Reader."""
    return activation


@dataclass(frozen=True)
class Segment:
    """Consecutive blocks of the network, computed on their own: from the input to activations and an output.

    first_block, last_block  from 1 to 5
    layers     the layers whose activations are asked for
    reach_px   how far beyond its own cell an activation sees in the input, in px of the picture
    grid_px    tiles of a picture start at multiples of this, so that poolings and Winograd's tiles lie as in the whole
               picture
    channels, dtype  of the input: an image, or the output of the segment before
    compute    (input, Reader, one_way_back, until) -> what `run` returns
    until      the layer after which nothing is computed, and there is no output, as in the last segment of a network;
               None in the others
    """

    first_block: int
    last_block: int
    layers: tuple[str, ...]
    reach_px: int
    grid_px: int
    channels: int
    dtype: tf.DType
    compute: Callable[..., tuple[dict[str, Any], tf.Tensor | None]]
    until: str | None = None

    def run(
        self, x: tf.Tensor, read: Reader = the_activation, *, one_way_back: bool = False
    ) -> tuple[dict[str, Any], tf.Tensor | None]:
        """Return by layer what is read of it, and the output, or None if nothing is computed after the layer `until`.

        x             the input [height, width, channels], which is the output of the segment before
        one_way_back  see Network.readings
        """
        return self.compute(x, read, one_way_back, self.until)

    def up_to(self, layers: Collection[str]) -> Segment:
        """Return the segment without what comes after these layers."""
        own = [layer for layer in self.layers if layer in layers]
        return replace(self, layers=tuple(self.layers[: self.layers.index(own[-1]) + 1]), until=own[-1])


@dataclass(frozen=True)
class Network:
    """The network: an image -> layer -> activation [positions, channels]. The network consists of segments.

    The image is float32 [height, width, 3] in [0, 1]. An activation is bfloat16 where the convolutions are, else
    float32: float16 does not hold sums of an activation's squares.
    """

    segments: tuple[Segment, ...]

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the activations by layer, [positions, channels]."""
        return {layer: flat(activation) for layer, activation in self.maps(image).items()}

    def maps(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the activations by layer, [height, width, channels]."""
        return self.readings(image, the_activation)

    def readings(self, image: tf.Tensor, read: Reader, *, one_way_back: bool = False) -> dict[str, Any]:
        """Return what a reader reads of the activations, by layer.

        one_way_back  for the gradient of a single cost in all readings: it takes half the memory then
        """
        x: tf.Tensor | None = image
        found: dict[str, Any] = {}
        for segment in self.segments:
            some, x = segment.run(x, read, one_way_back=one_way_back)
            found |= some
        return found

    def up_to(self, layers: Collection[str]) -> Network:
        """Return the network without what comes after the layers."""
        last = max(index for index, segment in enumerate(self.segments) if set(layers) & set(segment.layers))
        return Network((*self.segments[:last], self.segments[last].up_to(layers)))


def flat(activation: tf.Tensor) -> tf.Tensor:
    """Return an activation [height, width, channels] as [positions, channels]."""
    return tf.reshape(activation, [-1, activation.shape[-1]])


def build_network(
    weights: Weights, layers: Iterable[str], *, pooling: str = "max", precision: str = "float32"
) -> Network:
    """Return the network from an image to the activations, after ReLU, of `layers`.

    pooling    'max' as trained, or 'avg' as Gatys et al. advise
    precision  'float32', 'bfloat16' or 'float16', the type of the convolutions
    """
    wanted = frozenset(layers)
    needed = LAYERS[: 1 + max(LAYERS.index(layer) for layer in wanted)]  # There may be no weights for others.
    groups = [[layer for layer in needed if block_of(layer) in blocks] for blocks in SEGMENT_BLOCKS]
    groups = [group for group in groups if group]
    segments = [_segment(weights, group, wanted, pooling=pooling, precision=precision) for group in groups]
    return Network(tuple(segments)).up_to(wanted)


def _segment(weights: Weights, layers: list[str], wanted: Collection[str], *, pooling: str, precision: str) -> Segment:
    """Return the segment of these layers. It ends with a pooling."""
    pool = {"max": max_pool, "avg": average_pool}[pooling]
    dtype = tf.dtypes.as_dtype(precision)
    convolutions = {
        layer: convolution(weights[layer][0], precision, WINOGRAD_PX[block_of(layer) - 1]) for layer in layers
    }
    biases = {layer: tf.constant(weights[layer][1], dtype) for layer in layers}
    found_dtype = tf.bfloat16 if precision == "bfloat16" else tf.float32
    gradient_scale = FLOAT16_GRADIENT_SCALE if precision == "float16" else 1.0
    first_block, last_block = block_of(layers[0]), block_of(layers[-1])

    def compute(
        x: tf.Tensor, read: Reader, one_way_back: bool, until: str | None
    ) -> tuple[dict[str, Any], tf.Tensor | None]:
        if first_block == 1:
            x = tf.cast(_with_scaled_gradient(x, 1 / gradient_scale) * 255.0 - tf.constant(MEAN_RGB), dtype)
        x, block = tf.expand_dims(x, 0), 0
        found = {}
        for layer, following in itertools.zip_longest(layers, layers[1:]):
            if block_of(layer) != block:
                block = block_of(layer)
                tiles = WinogradTiles(x, WINOGRAD_PX[block - 1])
            x = convolutions[layer](x, tiles)
            pooled = following is None or block_of(following) != block
            if pooled and pooling == "max" and layer not in wanted:
                x, pooled = pool(x, 2), False  # The maximum and ReLU commute, and so ReLU has fewer pixels.
            x = relu(x, biases[layer])
            if layer in wanted:

                def read_own(y: tf.Tensor, layer: str = layer) -> Any:
                    activation = tf.cast(tf.squeeze(y, 0), found_dtype)
                    return read(layer, _with_scaled_gradient(activation, gradient_scale))

                x, found[layer] = _read_in_passing(x, read_own) if one_way_back else (x, read_own(x))
            if layer == until:
                return found, None
            x = pool(x, 2) if pooled else x
        return found, tf.squeeze(x, 0)

    return Segment(
        first_block,
        last_block,
        tuple(layer for layer in layers if layer in wanted),
        sum(stride_of(layer) for layer in layers),
        stride_px(last_block) * (WINOGRAD_PX[last_block - 1] if precision == "float32" else 2),
        3 if first_block == 1 else weights[layers[0]][0].shape[2],
        tf.float32 if first_block == 1 else dtype,
        compute,
    )


def _read_in_passing(x: tf.Tensor, read: Callable[[tf.Tensor], Any]) -> tuple[tf.Tensor, Any]:
    """Return x, and what is read of it. On the way back, what is read waits for the gradient of what comes after x.

    Else TensorFlow computes the gradients of all readings at once, and keeps them until the way back comes to each.
    """
    nest: Any = None

    @tf.custom_gradient
    def passing(x: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], Callable[..., tf.Tensor]]:
        nonlocal nest
        with tf.GradientTape() as tape:
            tape.watch(x)
            nest = read(x)
        tensors = tf.nest.flatten(nest)

        def gradient(later: tf.Tensor, *upstream: tf.Tensor) -> tf.Tensor:
            if not tensors:
                return later
            with tf.control_dependencies([later]):
                return later + tape.gradient(tensors, x, output_gradients=list(upstream))

        return (tf.identity(x), *tensors), gradient

    x, *tensors = passing(x)
    return x, tf.nest.pack_sequence_as(nest, tensors)


def _with_scaled_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """Return x, with its gradient multiplied by the factor."""
    if factor == 1:
        return x
    return tf.custom_gradient(lambda y: (tf.identity(y), lambda upstream: factor * upstream))(x)
