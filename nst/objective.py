"""The cost of a picture at one scale: targets made once, then evaluate(image) -> costs by name and gradient.

The cost is the mean over the picture and its smaller copies. A copy sees what is too large for the network at full
size, and keeps what the coarser scales have built.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst.image_io import Size, resize, resize_matrix
from nst.layers import LayerWeights
from nst.losses import content_cost, style_cost, style_statistics, total_variation
from nst.settings import Settings
from nst.vgg19 import Features

Costs = dict[str, tf.Tensor]
Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]  # image -> costs by name, d(total)/d(image)


@dataclass(frozen=True)
class Target:
    """What one size of the picture is compared with, and the factor of each layer's cost."""

    content: dict[str, tf.Tensor]  # layer -> activation [positions, channels]
    style: dict[str, tf.Tensor]  # layer -> Gram matrix / positions [channels, channels]
    content_factors: dict[str, float]
    style_factors: dict[str, float]


def make_evaluate(
    features: Features, content: np.ndarray, style: np.ndarray, sizes: Sequence[tuple[Size, Size]], settings: Settings
) -> Evaluate:
    """Return the cost and its gradient for pictures of the first of `sizes`, seen also at the others.

    content, style  images at their own full size
    sizes           of the generated picture and of the style, largest first
    """
    targets = [
        make_target(features, resize(content, size), resize(style, style_size), settings) for size, style_size in sizes
    ]
    shrink = [
        (tf.constant(resize_matrix(large[0], small[0])), tf.constant(resize_matrix(large[1], small[1])))
        for (large, _), (small, _) in itertools.pairwise(sizes)
    ]

    def evaluate(image: tf.Tensor) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            seen = [image]
            for rows, columns in shrink:
                seen.append(tf.einsum("ah,hwc,bw->abc", rows, seen[-1], columns))
            pairs = [_costs(features(copy), target) for copy, target in zip(seen, targets, strict=True)]
            content_part = tf.add_n([pair[0] for pair in pairs]) / len(pairs)
            style_part = tf.add_n([pair[1] for pair in pairs]) / len(pairs)
            total = settings.content_weight * content_part + settings.style_weight * style_part
            costs = {"content": content_part, "style": style_part}
            if settings.tv_weight:
                costs["tv"] = total_variation(image)
                total += settings.tv_weight * costs["tv"]
        return {"total": total, **costs}, tape.gradient(total, image)

    return evaluate


def make_target(features: Features, content: np.ndarray, style: np.ndarray, settings: Settings) -> Target:
    """Return the target for a content and a style image of the sizes at which they are compared."""
    content_found, style_found = features(tf.constant(content)), features(tf.constant(style))
    contents = {layer: content_found[layer] for layer, _ in settings.content_layers}
    styles = {layer: style_statistics(style_found[layer]) for layer, _ in settings.style_layers}
    nothing = {layer: (tf.zeros_like(contents[layer]), contents[layer]) for layer in contents}
    return Target(
        content=contents,
        style=styles,
        content_factors=_factors(
            settings, settings.content_layers, {layer: content_cost(*pair) for layer, pair in nothing.items()}
        ),
        style_factors=_factors(
            settings,
            settings.style_layers,
            {layer: style_cost(tf.zeros_like(gram), gram) for layer, gram in styles.items()},
        ),
    )


def _factors(settings: Settings, weights: LayerWeights, cost_of_nothing: dict[str, tf.Tensor]) -> dict[str, float]:
    """Return each layer's weight, divided with balance by the cost that a picture without any activation would have."""
    if not settings.balance:
        return dict(weights)
    return {layer: weight / max(float(cost_of_nothing[layer]), 1e-12) for layer, weight in weights}


def _costs(found: dict[str, tf.Tensor], target: Target) -> tuple[tf.Tensor, tf.Tensor]:
    """Return J_content and J_style of one copy."""
    content = [
        factor * content_cost(found[layer], target.content[layer]) for layer, factor in target.content_factors.items()
    ]
    style = [
        factor * style_cost(style_statistics(found[layer]), target.style[layer])
        for layer, factor in target.style_factors.items()
    ]
    return tf.add_n(content), tf.add_n(style)
