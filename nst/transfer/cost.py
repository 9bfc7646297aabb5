"""The cost of a picture in one piece against its targets, with the gradient, as one graph for pictures of any size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import tensorflow as tf

from nst.network.vgg19 import Network, flat
from nst.transfer.losses import STYLE_LOSSES, Costs, StyleLoss, content_cost, match_cost, match_sums
from nst.transfer.places import Places
from nst.transfer.statistics import Statistics
from nst.transfer.targets import ContentTarget, MatchLayer, Targets, TargetsLayout, View

# (image, targets) -> costs by name, d(total)/d(image).
CostGraph = Callable[[tf.Tensor, Targets], tuple[Costs, tf.Tensor]]


def content_part(found: dict[str, tf.Tensor], targets: dict[str, ContentTarget]) -> tf.Tensor:
    """Return the content cost of activations [positions, channels] by layer."""
    costs = [t.factor * content_cost(found[name], t.wanted, t.weights) for name, t in targets.items()]
    return tf.add_n([tf.constant(0.0), *costs])


def match_part(
    maps: dict[str, tf.Tensor], layers: dict[str, MatchLayer], places: Places, size: Sequence[tf.Tensor]
) -> tf.Tensor:
    """Return the sums of match_cost, [places, 2], of activations [height, width, channels] by layer.

    size  of the picture, or of the core of a tile
    """
    rows, columns = places.grid(size)
    sums = [tf.zeros([rows * columns, 2])]
    for name, target in layers.items():
        here = tf.cast(flat(places.averaged(maps[name], name)), tf.float32)
        sums.append(places.in_order(match_sums(here, target.wanted, target.squares), name, size))
    return tf.add_n(sums)


def costs_by_name(
    loss: StyleLoss,
    layout: TargetsLayout,
    content: tf.Tensor,
    statistics: Sequence[Statistics],
    sums: tf.Tensor,
    targets: Targets,
) -> tuple[Costs, list[tf.Tensor]]:
    """Return the costs by name, and what each region adds to their total.

    content     the content cost of the picture
    statistics  the statistics of the picture for each part
    sums        of match_cost
    """
    alpha, beta, gamma = tf.unstack(targets.factors)
    styles = [
        tf.add_n([t.factor * loss.cost(ours[name], t.wanted) for name, t in part.style.items()])
        for ours, part in zip(statistics, targets.parts, strict=True)
    ]
    each = len(styles) // layout.regions
    of_regions = [beta * tf.add_n(styles[start : start + each]) for start in range(0, len(styles), each)]
    costs = {"content": content, "style": tf.add_n(styles)}
    if layout.match_layers:
        matches = match_cost(sums, targets.match.weights)
        of_regions = [
            cost + gamma * part for cost, part in zip(of_regions, tf.unstack(matches, layout.regions), strict=True)
        ]
        costs["match"] = tf.reduce_sum(matches)
    return {"total": tf.add_n([alpha * content, *of_regions]), **costs}, of_regions


def cost_in_one_piece(network: Network, style_loss: str, image: tf.Tensor, view: View) -> tuple[Costs, tf.Tensor]:
    """Return the costs by name and the gradient of their total.

    Where regions have their own pixels, the costs of a region's style move only these, each by the region's share of
    the pixel, as if all other pixels were constant.
    """
    return cost_graph(network, style_loss, view.layout)(image, view.targets)


@lru_cache(maxsize=12)
def cost_graph(network: Network, style_loss: str, layout: TargetsLayout) -> CostGraph:
    """Return cost_in_one_piece as a graph for targets with this layout."""
    loss, network = STYLE_LOSSES[style_loss], network.up_to(layout.layers)

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), layout.signature()), autograph=False)
    def graph(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape(persistent=layout.guided > 0) as tape:
            tape.watch(image)
            maps = network.maps(image)
            found = {name: flat(activation) for name, activation in maps.items()}
            content = content_part(found, targets.content)
            statistics = [
                {name: loss.statistics(found[name], part.weights.get(name)) for name in part.style}
                for part in targets.parts
            ]
            sums = match_part(maps, targets.match.layers, layout.places, tf.unstack(tf.shape(image)[:2]))
            costs, of_regions = costs_by_name(loss, layout, content, statistics, sums, targets)
            chains = [targets.factors[0] * content, *of_regions] if layout.guided else []
        if not chains:
            return costs, tape.gradient(costs["total"], image)
        gradient, *within = [tape.gradient(chain, image) for chain in chains]
        for share, part in zip(targets.pixels, within, strict=True):
            gradient += share * part
        return costs, gradient

    return graph
