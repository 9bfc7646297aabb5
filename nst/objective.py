"""The cost of a picture at one scale: targets made once, then evaluate(image) -> costs by name and gradient.

The cost is the mean over views of the picture: itself, and smaller copies of it. A copy sees what is too large for the
network at full size, and keeps what the coarser scales have built.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.image_io import Size, resize, resize_matrix
from nst.losses import content_cost, style_cost, style_statistics, total_variation
from nst.settings import Settings
from nst.vgg19 import Features

Costs = dict[str, tf.Tensor]
Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]  # image -> costs by name, d(total)/d(image)
Measure = Callable[[tf.Tensor, "Targets"], tuple[Costs, tf.Tensor]]  # the same of one view


class LayerTarget(NamedTuple):
    """What one layer is compared with, and the factor of its cost."""

    wanted: tf.Tensor  # content: activation [positions, channels]; style: Gram matrix / positions [channels, channels]
    factor: tf.Tensor


class Targets(NamedTuple):
    """What the picture at one size is compared with, by layer."""

    content: dict[str, LayerTarget]
    style: dict[str, LayerTarget]


@dataclass(frozen=True)
class View:
    """The picture at one size, and what it should be. Made once for each scale and used again at all finer ones."""

    size: Size
    targets: Targets


def make_view(
    features: Features, content: np.ndarray, style: np.ndarray, size: Size, style_size: Size, settings: Settings
) -> View:
    """Return the view of pictures of `size`, with targets from the content at that and the style at `style_size`."""
    contents = features(tf.constant(resize(content, size)))
    styles = features(tf.constant(resize(style, style_size)))
    content_targets = {
        layer: _target(content_cost, contents[layer], weight, settings) for layer, weight in settings.content_layers
    }
    style_targets = {
        layer: _target(style_cost, style_statistics(styles[layer]), weight, settings)
        for layer, weight in settings.style_layers
    }
    return View(size, Targets(content_targets, style_targets))


def make_measure(features: Features, settings: Settings) -> Measure:
    """Return the cost of a picture against targets, with its gradient: one traced graph for all sizes."""

    numbers = LayerTarget(tf.TensorSpec([None, None]), tf.TensorSpec([]))
    targets = Targets(
        *({name: numbers for name, _ in layers} for layers in (settings.content_layers, settings.style_layers))
    )

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), targets), autograph=False)
    def measure(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = features(image)
            content_costs = [t.factor * content_cost(found[name], t.wanted) for name, t in targets.content.items()]
            style_costs = [
                t.factor * style_cost(style_statistics(found[name]), t.wanted) for name, t in targets.style.items()
            ]
            costs = {"content": tf.add_n(content_costs), "style": tf.add_n(style_costs)}
            total = settings.content_weight * costs["content"] + settings.style_weight * costs["style"]
        return {"total": total, **costs}, tape.gradient(total, image)

    return measure


def make_evaluate(measure: Measure, views: Sequence[View], settings: Settings) -> Evaluate:
    """Return the mean cost over `views`, largest first, and total variation, for pictures of the first view's size."""
    shrink = [
        tuple(tf.constant(resize_matrix(old, new)) for old, new in zip(large.size, small.size, strict=True))
        for large, small in itertools.pairwise(views)
    ]

    def evaluate(image: tf.Tensor) -> tuple[Costs, tf.Tensor]:
        copies = [image]
        for rows, columns in shrink:
            copies.append(tf.einsum("ah,hwc,bw->abc", rows, copies[-1], columns))
        found = [measure(copy, view.targets) for view, copy in zip(views, copies, strict=True)]
        gradient = found[-1][1]
        for (_, finer), (rows, columns) in zip(found[-2::-1], shrink[::-1], strict=True):
            gradient = finer + tf.einsum("ah,abc,bw->hwc", rows, gradient, columns)
        costs = {name: tf.add_n([part[name] for part, _ in found]) / len(views) for name in found[0][0]}
        return _with_total_variation(image, costs, gradient / len(views), settings.tv_weight)

    return evaluate


def _target(
    cost: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], wanted: tf.Tensor, weight: float, settings: Settings
) -> LayerTarget:
    """Return the target with its weight, with balance divided by the cost of a picture without any activation."""
    nothing = float(cost(tf.zeros_like(wanted), wanted)) if settings.balance else 1.0
    return LayerTarget(wanted, tf.constant(weight / max(nothing, 1e-12), tf.float32))


def _with_total_variation(
    image: tf.Tensor, costs: Costs, gradient: tf.Tensor, weight: float
) -> tuple[Costs, tf.Tensor]:
    """Return costs and gradient with total variation in both, or as they are where its weight is 0."""
    if not weight:
        return costs, gradient
    with tf.GradientTape() as tape:
        tape.watch(image)
        variation = total_variation(image)
        weighted = weight * variation
    return (
        {"total": costs["total"] + weighted, "content": costs["content"], "style": costs["style"], "tv": variation},
        gradient + tape.gradient(weighted, image),
    )
