"""The layers of VGG19 at which a cost can be computed: their names, and their weights as a user writes them.

A name stands for the activations after ReLU. `conv4_2`, `relu4_2` and Keras' `block4_conv2` are the same tensor.
"""

import math
import re

from nst.errors import UserError, suggestion

CONVOLUTIONS_PER_BLOCK = (2, 2, 4, 4, 4)
CHANNELS_PER_BLOCK = (64, 128, 256, 512, 512)
LAYERS = tuple(
    f"conv{block}_{index}"
    for block, count in enumerate(CONVOLUTIONS_PER_BLOCK, start=1)
    for index in range(1, count + 1)
)
SMALLEST_SIDE_PX = 16  # The picture is halved four times before conv5, where at least one pixel must be left.

LayerWeights = tuple[tuple[str, float], ...]
SUBJECT_LAYERS: LayerWeights = (("conv4_2", 4.0), ("conv3_4", 0.3))  # Compared with the photo on its subject.
SUBJECT_MAP_LAYER = "conv4_4"  # The layer whose activations show where the photo's subject is.

LARGEST_WEIGHT = 1e9  # The largest weight of a layer.


def block_of(layer: str) -> int:
    """Return the number, 1 to 5, of a layer's block."""
    return int(layer[4])


def stride_px(block: int) -> int:
    """Return the distance, in pixels of the picture, of neighbours in the activations of a block."""
    return 2 ** (block - 1)


def stride_of(layer: str) -> int:
    """Return the distance, in pixels of the picture, of neighbours in a layer's activations."""
    return stride_px(block_of(layer))


def keras_name(layer: str) -> str:
    """Return Keras' spelling, 'block4_conv2', of 'conv4_2'."""
    return f"block{layer[4]}_conv{layer[6]}"


def layer_name(name: str) -> str:
    """Return the spelling 'conv4_2' for any of the three spellings. Raise UserError for any other name."""
    found = re.fullmatch(r"(?:conv|relu)(\d)_(\d)|block(\d)_conv(\d)", name.strip().lower())
    if found:
        block, index = (part for part in found.groups() if part)
        if f"conv{block}_{index}" in LAYERS:
            return f"conv{block}_{index}"
    hint = suggestion(name, LAYERS + tuple(f"relu{layer[4:]}" for layer in LAYERS))
    raise UserError(f"layer {name}: VGG19 has no such layer{hint or f'; it has {LAYERS[0]} to {LAYERS[-1]}'}")


def parse_layer_weights(words: list[str]) -> LayerWeights:
    """Read ['conv1_1:0.5', 'relu4_1'] as (('conv1_1', 0.5), ('conv4_1', 1.0)).

    Raises UserError for an unknown layer, a layer named twice, a weight that is not above 0, and an empty list.
    """
    weights: dict[str, float] = {}
    for word in words:
        name, colon, number = word.partition(":")
        layer = layer_name(name)
        if layer in weights:
            raise UserError(f"layer {name}: named twice; give each layer once")
        weights[layer] = _weight(word, number) if colon else 1.0
    if not weights:
        raise UserError("layers: none given; name at least one, such as conv4_1")
    return tuple(weights.items())


def format_layer_weights(weights: LayerWeights) -> list[str]:
    """Return the words for layer weights. `parse_layer_weights` reads them back without loss."""
    return [f"{layer}:{str(weight).removesuffix('.0')}" for layer, weight in weights]


def _weight(word: str, number: str) -> float:
    """Return the number after the colon of `word`. Raises UserError unless it is above 0."""
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= LARGEST_WEIGHT:
        raise UserError(f"layer {word}: the weight must be above 0 and at most {LARGEST_WEIGHT:g}, as in conv4_1:0.5")
    return weight
