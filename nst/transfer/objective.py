"""The cost of a picture at one scale: targets made once, then evaluate(image) -> costs by name and gradient.

The cost is the mean over views of the picture: itself, and smaller copies of it. A copy sees what is too large for the
network at full size, and keeps what the coarser scales have built.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst.network.vgg19 import Network
from nst.pictures.picture_files import Size, resize, resize_matrix
from nst.settings import Settings
from nst.transfer.cost import PIXELS, Costs, LayerTarget, Measure, Region, Targets, activations, statistics
from nst.transfer.losses import STYLE_LOSSES, content_cost, total_variation
from nst.transfer.masks import Inputs, at_layer, style_shares, total
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX

LOT = 8192  # positions, for memory

Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]  # image -> costs by name, d(total)/d(image)


@dataclass(frozen=True)
class View:
    """The picture at one size, and what it should be. Made once for each scale and used again at all finer ones."""

    size: Size
    targets: Targets


def make_view(network: Network, inputs: Inputs, scale: Scale, *, tile_px: int = UNTILED_PX) -> View:
    """Return the view of pictures of a scale, with targets from content and styles at its sizes.

    tile_px  the side of tiles, in which a larger picture is computed; see fits
    """
    settings = inputs.settings
    contents = activations(network, resize(inputs.content, scale.size), settings, tile_px)
    content_targets = {
        layer: _target(_content_cost_in_lots, contents[layer], weight, settings)
        for layer, weight in settings.content_layers
    }
    styles = [
        statistics(network, resize(style, size), settings, tile_px)
        for style, size in zip(inputs.styles, scale.style_sizes, strict=True)
    ]
    weights = tf.constant(settings.cost_weights, tf.float32)
    return View(scale.size, Targets(content_targets, _regions(styles, inputs, scale.size), weights))


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


def _content_cost_in_lots(found: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Return content_cost, with no array of the size of theirs."""
    costs = [
        content_cost(found[start : start + LOT], wanted[start : start + LOT])
        * (min(LOT, wanted.shape[0] - start) / wanted.shape[0])
        for start in range(0, wanted.shape[0], LOT)
    ]
    return tf.add_n(costs)


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
