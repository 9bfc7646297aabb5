"""The cost of one picture against its targets, with its gradient: in one piece, or tile by tile with the same result.

Statistics are sums over positions. So a picture in tiles takes two walks through the network: the first adds up those
of the whole picture; then the slope of the cost in them is known, and the second takes it back to the pixels.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

import tensorflow as tf

from nst.network.vgg19 import Network
from nst.settings import Settings
from nst.transfer.losses import STYLE_LOSSES, Costs, content_cost
from nst.transfer.targets import PIXELS, LayerTarget, Region, Targets, costs_of
from nst.transfer.tiled_cost import tiled_measure
from nst.transfer.tiles import UNTILED_PX, fits

Measure = Callable[[tf.Tensor, Targets], tuple[Costs, tf.Tensor]]  # image -> costs by name, d(total)/d(image)


def make_measure(network: Network, settings: Settings, *, regions: int = 0, tile_px: int = UNTILED_PX) -> Measure:
    """Return the cost of a picture against targets, with its gradient: one traced graph for all sizes and pictures.

    regions  how many the targets have with guides; 0 where there is one, without. A region moves the pixels that are in
             it, by their share, and no others: its gradient is that of a cost in which the others stand still.
    tile_px  the side of tiles, in which a larger picture is computed; see fits
    """
    content_layers, style_layers = (
        tuple(name for name, _ in layers) for layers in (settings.content_layers, settings.style_layers)
    )
    whole = _whole_measure(network, settings.style_loss, content_layers, style_layers, regions)

    def measure(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        if fits(image.shape[:2], tile_px):
            return whole(image, targets)
        return tiled_measure(network, settings.style_loss, image, targets, tile_px)

    return measure


@lru_cache(maxsize=8)
def _whole_measure(
    network: Network, style_loss: str, content_layers: tuple[str, ...], style_layers: tuple[str, ...], regions: int
) -> Measure:
    """Return the measure of pictures in one piece."""
    loss = STYLE_LOSSES[style_loss]

    @tf.function(
        input_signature=(tf.TensorSpec([None, None, 3]), _signature(content_layers, style_layers, regions)),
        autograph=False,
    )
    def measure(image: tf.Tensor, targets: Targets) -> tuple[Costs, tf.Tensor]:
        with tf.GradientTape(persistent=regions > 0) as tape:
            tape.watch(image)
            found = network(image)
            content = tf.add_n([t.factor * content_cost(found[name], t.wanted) for name, t in targets.content.items()])
            statistics = [
                {name: loss.statistics(found[name], region.guides.get(name)) for name in region.style}
                for region in targets.regions
            ]
            costs, parts = costs_of(loss, content, statistics, targets)
            weighted = [targets.alpha_beta[0] * content, *parts] if regions else []
        if not regions:
            return costs, tape.gradient(costs["total"], image)
        gradient, *within = [tape.gradient(part, image) for part in weighted]
        for region, part in zip(targets.regions, within, strict=True):
            gradient += region.guides[PIXELS] * part
        return costs, gradient

    return measure


def _signature(content_layers: Iterable[str], style_layers: Iterable[str], regions: int) -> Targets:
    """Return what the targets look like to TensorFlow, whatever their size."""
    numbers = LayerTarget(tf.TensorSpec([None, None]), tf.TensorSpec([]))
    content, style = (dict.fromkeys(layers, numbers) for layers in (content_layers, style_layers))
    guides = {PIXELS: tf.TensorSpec([None, None, 1]), **{name: tf.TensorSpec([None, 1]) for name in style}}
    found = tuple(Region(style, guides) for _ in range(regions)) or (Region(style, {}),)
    return Targets(content, found, tf.TensorSpec([2]))
