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
from nst.losses import STYLE_LOSSES, content_cost, total_variation
from nst.masks import Inputs, at_layer, style_shares, total
from nst.scales import Scale
from nst.settings import Settings
from nst.vgg19 import Features

PIXELS = "pixels"

Costs = dict[str, tf.Tensor]
Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]  # image -> costs by name, d(total)/d(image)
Measure = Callable[[tf.Tensor, "Targets"], tuple[Costs, tf.Tensor]]  # the same of one view


class LayerTarget(NamedTuple):
    """What one layer is compared with, and the factor of its cost."""

    wanted: tf.Tensor  # content: activation [positions, channels]; style: see StyleLoss.target
    factor: tf.Tensor


class Region(NamedTuple):
    """A style, or a blend, by layer, and where it belongs.

    The guides are empty where that is everywhere. Else they hold the share of the style at each pixel, under PIXELS,
    and the weight of each position of a layer, under its name.
    """

    style: dict[str, LayerTarget]
    guides: dict[str, tf.Tensor]


class Targets(NamedTuple):
    """What the picture at one size is compared with."""

    content: dict[str, LayerTarget]
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class View:
    """The picture at one size, and what it should be. Made once for each scale and used again at all finer ones."""

    size: Size
    targets: Targets


def make_view(features: Features, inputs: Inputs, scale: Scale) -> View:
    """Return the view of pictures of a scale, with targets from content and styles at its sizes."""
    settings = inputs.settings
    contents = features(tf.constant(resize(inputs.content, scale.size)))
    content_targets = {
        layer: _target(content_cost, tf.cast(contents[layer], tf.float32), weight, settings)
        for layer, weight in settings.content_layers
    }
    statistics = STYLE_LOSSES[settings.style_loss].statistics
    styles = []
    for style, size in zip(inputs.styles, scale.style_sizes, strict=True):
        found = features(tf.constant(resize(style, size)))
        styles.append({layer: statistics(found[layer]) for layer, _ in settings.style_layers})
    return View(scale.size, Targets(content_targets, _regions(styles, inputs, scale.size)))


def _regions(styles: list[dict[str, tf.Tensor]], inputs: Inputs, size: Size) -> tuple[Region, ...]:
    """Return one region with the mean of the styles' statistics, or with masks, one for each style."""
    if not inputs.style_masks:
        blend = {
            name: tf.add_n([w * s[name] for w, s in zip(inputs.weights, styles, strict=True)]) for name in styles[0]
        }
        share = None if inputs.content_mask is None else total(style_shares(inputs, size))
        return (_region(blend, 1.0, share, inputs.settings),)
    shares = style_shares(inputs, size)
    areas = [weight * float(share.mean()) for weight, share in zip(inputs.weights, shares, strict=True)]
    return tuple(
        _region(style, area / max(sum(areas), 1e-6), share, inputs.settings)
        for style, area, share in zip(styles, areas, shares, strict=True)
    )


def _region(style: dict[str, tf.Tensor], weight: float, share: np.ndarray | None, settings: Settings) -> Region:
    """Return the region of a style: everywhere, or by its share [height, width, 1] at each pixel."""
    loss = STYLE_LOSSES[settings.style_loss]
    targets = {
        layer: _target(loss.cost, loss.target(style[layer]), weight * layer_weight, settings)
        for layer, layer_weight in settings.style_layers
    }
    if share is None:
        return Region(targets, {})
    guides = {layer: tf.constant(at_layer(share, layer), tf.float32) for layer in targets}
    return Region(targets, {PIXELS: tf.constant(share, tf.float32), **guides})


def guided_regions(inputs: Inputs) -> int:
    """Return how many regions with guides the targets of these inputs have."""
    return len(inputs.style_masks) or int(inputs.content_mask is not None)


def make_measure(features: Features, settings: Settings, *, regions: int = 0) -> Measure:
    """Return the cost of a picture against targets, with its gradient: one traced graph for all sizes.

    regions  how many the targets have with guides; 0 where there is one, without. A region moves the pixels that are in
             it, by their share, and no others: its gradient is that of a cost in which the others stand still.
    """
    loss = STYLE_LOSSES[settings.style_loss]
    alpha, beta = settings.cost_weights

    def style_part(found: dict[str, tf.Tensor], region: Region) -> tf.Tensor:
        return tf.add_n(
            [
                target.factor * loss.cost(loss.statistics(found[name], region.guides.get(name)), target.wanted)
                for name, target in region.style.items()
            ]
        )

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), _signature(settings, regions)), autograph=False)
    def measure(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape(persistent=regions > 0) as tape:
            tape.watch(image)
            found = features(image)
            content = tf.add_n([t.factor * content_cost(found[name], t.wanted) for name, t in targets.content.items()])
            parts = [style_part(found, region) for region in targets.regions]
            costs = {"content": content, "style": tf.add_n(parts)}
            costs = {"total": alpha * content + beta * costs["style"], **costs}
            weighted = [alpha * content, *(beta * part for part in parts)] if regions else []
        if not regions:
            return costs, tape.gradient(costs["total"], image)
        gradient, *within = [tape.gradient(part, image) for part in weighted]
        for region, part in zip(targets.regions, within, strict=True):
            gradient += region.guides[PIXELS] * part
        return costs, gradient

    return measure


def _signature(settings: Settings, regions: int) -> Targets:
    """Return what the targets look like to TensorFlow, whatever their size."""
    numbers = LayerTarget(tf.TensorSpec([None, None]), tf.TensorSpec([]))
    content, style = (
        {name: numbers for name, _ in layers} for layers in (settings.content_layers, settings.style_layers)
    )
    guides = {PIXELS: tf.TensorSpec([None, None, 1]), **{name: tf.TensorSpec([None, 1]) for name in style}}
    return Targets(content, tuple(Region(style, guides) for _ in range(regions)) or (Region(style, {}),))


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
