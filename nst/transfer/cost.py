"""The cost of a picture in one piece against its targets, with the gradient, as one graph for pictures of any size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import tensorflow as tf

from nst.network.vgg19 import Network, flat
from nst.transfer.losses import Costs, content_cost, match_cost, match_sums
from nst.transfer.statistics import Statistics
from nst.transfer.style_loss import StyleLoss
from nst.transfer.targets import ContentTarget, MatchLayer, Targets, TargetsLayout, View

# (image, targets) -> costs by name, d(total)/d(image).
CostGraph = Callable[[tf.Tensor, Targets], tuple[Costs, tf.Tensor]]


class Reading(NamedTuple):
    """What the cost needs of one layer.

    content     the content cost; empty where the layer is not compared
    statistics  by the number of the part
    sums        of match_cost at the layer's positions; empty where the layer is not matched
    """

    content: list[tf.Tensor]
    statistics: dict[int, tf.Tensor]
    sums: list[tf.Tensor]


def reader(
    loss: StyleLoss,
    layout: TargetsLayout,
    content: dict[str, ContentTarget],
    weights: Sequence[dict[str, tf.Tensor]],
    match: dict[str, MatchLayer],
) -> Callable[[str, tf.Tensor], Reading]:
    """Return the reader of what the cost needs of a picture, or of the core of a tile, with these targets.

    weights  of each part; see Part
    """

    def read(layer: str, activation: tf.Tensor) -> Reading:
        features, photo, places = flat(activation), content.get(layer), match.get(layer)
        parts = [index for index, layers in enumerate(layout.style_layers) if layer in layers]
        return Reading(
            [photo.factor * content_cost(features, photo.wanted, photo.weights)] if photo else [],
            {index: loss.statistics(features, weights[index].get(layer)) for index in parts},
            [match_sums(flat(layout.places.averaged(activation, layer)), places.wanted, places.squares)]
            if places
            else [],
        )

    return read


def joined(
    readings: dict[str, Reading], layout: TargetsLayout, size: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, list[Statistics], tf.Tensor]:
    """Return the content cost, the statistics of each part by layer, and the sums of match_cost, [places, 2].

    size  of the picture, or of the core of a tile
    """
    content = [tf.constant(0.0), *(cost for reading in readings.values() for cost in reading.content)]
    statistics = [
        {layer: readings[layer].statistics[index] for layer in layers if layer in readings}
        for index, layers in enumerate(layout.style_layers)
    ]
    rows, columns = layout.places.grid(size)
    sums = [layout.places.in_order(part, layer, size) for layer, reading in readings.items() for part in reading.sums]
    return tf.add_n(content), statistics, tf.add_n([tf.zeros([rows * columns, 2]), *sums])


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


def cost_in_one_piece(network: Network, image: tf.Tensor, view: View) -> tuple[Costs, tf.Tensor]:
    """Return the costs by name and the gradient of their total.

    Where regions have their own pixels, the costs of a region's style move only these, as if all other pixels were
    constant; see reaches.
    """
    return cost_graph(network, view.style_loss, view.layout)(image, view.targets)


@lru_cache(maxsize=12)
def cost_graph(network: Network, loss: StyleLoss, layout: TargetsLayout) -> CostGraph:
    """Return cost_in_one_piece as a graph for targets with this layout."""
    network = network.up_to(layout.layers)

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), layout.signature()), autograph=False)
    def graph(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape(persistent=layout.guided > 0) as tape:
            tape.watch(image)
            read = reader(loss, layout, targets.content, [part.weights for part in targets.parts], targets.match.layers)
            readings = network.readings(image, read, one_way_back=not layout.guided)
            content, statistics, sums = joined(readings, layout, tf.unstack(tf.shape(image)[:2]))
            costs, of_regions = costs_by_name(loss, layout, content, statistics, sums, targets)
            chains = [targets.factors[0] * content, *of_regions] if layout.guided else []
        if not chains:
            return costs, tape.gradient(costs["total"], image)
        gradient, *within = [tape.gradient(chain, image) for chain in chains]
        for share, part in zip(targets.pixels, within, strict=True):
            gradient += share * part
        return costs, gradient

    return graph
