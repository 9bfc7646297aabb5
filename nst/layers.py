"""The layers of VGG19 that costs can be taken at, their names and their weights as written by a user.

Every name stands for the activation after ReLU. `conv4_2`, `relu4_2` and Keras' `block4_conv2` are the same tensor.
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
SMALLEST_SIDE_PX = 16  # conv5 sees the picture after four halvings

LayerWeights = tuple[tuple[str, float], ...]


def block_of(layer: str) -> int:
    """Return the number, 1 to 5, of the block that `layer` belongs to."""
    return int(layer[4])


def stride_px(block: int) -> int:
    """Return how many pixels lie between neighbours in the activations of a block: each pooling halves a picture."""
    return 2 ** (block - 1)


def keras_name(layer: str) -> str:
    """Return Keras' spelling, 'block4_conv2', of 'conv4_2'."""
    return f"block{layer[4]}_conv{layer[6]}"


def layer_name(name: str) -> str:
    """Return the canonical spelling, 'conv4_2', of any of the three. Raise UserError for anything else."""
    found = re.fullmatch(r"(?:conv|relu)(\d)_(\d)|block(\d)_conv(\d)", name.strip().lower())
    if found:
        block, index = (part for part in found.groups() if part)
        if f"conv{block}_{index}" in LAYERS:
            return f"conv{block}_{index}"
    hint = suggestion(name, LAYERS + tuple(f"relu{layer[4:]}" for layer in LAYERS))
    raise UserError(f"layer {name}: VGG19 has no such layer{hint or f'; it has {LAYERS[0]} to {LAYERS[-1]}'}")


def parse_layer_weights(words: list[str]) -> LayerWeights:
    """Read ['conv1_1:0.5', 'relu4_1'] as (('conv1_1', 0.5), ('conv4_1', 1.0)).

    Raises UserError for an unknown layer, one named twice, a weight that is no positive number, or no layer at all.
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
    """Return the words that `parse_layer_weights` reads as the same weights to the last bit."""
    return [f"{layer}:{str(weight).removesuffix('.0')}" for layer, weight in weights]


def _weight(word: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise UserError(f"layer {word}: the weight must be a number above 0, as in conv4_1:0.5")
    return weight
