"""The cost of a picture in one piece against its targets, with the gradient, as one graph for pictures of any size."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import tensorflow as tf

from nst.network.vgg19 import Network
from nst.transfer.losses import STYLE_LOSSES, Costs, StyleLoss, content_cost
from nst.transfer.targets import PIXELS, Statistics, Targets, TargetsLayout

# (image, targets) -> costs by name, d(total)/d(image).
CostGraph = Callable[[tf.Tensor, Targets], tuple[Costs, tf.Tensor]]


def costs_by_name(
    loss: StyleLoss, content: tf.Tensor, statistics: Sequence[Statistics], targets: Targets
) -> tuple[Costs, list[tf.Tensor]]:
    """Return the costs by name, and the style cost of each region times beta.

    content     the content cost of the picture
    statistics  the statistics of the picture for each region
    """
    alpha, beta = tf.unstack(targets.alpha_beta)
    styles = [
        tf.add_n([t.factor * loss.cost(ours[name], t.wanted) for name, t in region.style.items()])
        for ours, region in zip(statistics, targets.regions, strict=True)
    ]
    style = tf.add_n(styles)
    return {"total": alpha * content + beta * style, "content": content, "style": style}, [beta * s for s in styles]


def cost_in_one_piece(network: Network, style_loss: str, image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
    """Return the costs by name and the gradient of their total.

    With guides, the style cost of a region moves only the pixels of the region, each by the style's share of the pixel,
    as if all other pixels were constant.
    """
    return cost_graph(network, style_loss, targets.layout)(image, targets)


@lru_cache(maxsize=8)
def cost_graph(network: Network, style_loss: str, layout: TargetsLayout) -> CostGraph:
    """Return cost_in_one_piece as a graph for targets with this layout."""
    loss = STYLE_LOSSES[style_loss]

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), layout.signature()), autograph=False)
    def graph(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape(persistent=layout.guided > 0) as tape:
            tape.watch(image)
            found = network(image)
            content = tf.add_n([t.factor * content_cost(found[name], t.wanted) for name, t in targets.content.items()])
            statistics = [
                {name: loss.statistics(found[name], region.guides.get(name)) for name in region.style}
                for region in targets.regions
            ]
            costs, of_regions = costs_by_name(loss, content, statistics, targets)
            parts = [targets.alpha_beta[0] * content, *of_regions] if layout.guided else []
        if not parts:
            return costs, tape.gradient(costs["total"], image)
        gradient, *within = [tape.gradient(part, image) for part in parts]
        for region, part in zip(targets.regions, within, strict=True):
            gradient += region.guides[PIXELS] * part
        return costs, gradient

    return graph
