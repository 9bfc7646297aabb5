"""The cost of a picture in tiles against its targets, with the gradient: the same as of the picture in one piece.

Statistics are sums over positions, and so a picture in tiles goes through the network twice. The first walk adds up the
statistics of the whole picture. Then the slope of the cost in each of them is known, and the second walk carries these
slopes back to the pixels.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import block_of, stride_px
from nst.network.vgg19 import Network, Segment, flat
from nst.pictures.resizing import Size
from nst.transfer.cost import costs_by_name
from nst.transfer.losses import STYLE_LOSSES, Costs, StyleLoss, content_cost
from nst.transfer.targets import PIXELS, LayerTarget, Statistics, Targets, TargetsLayout
from nst.transfer.tile_walk import run_on_core, walk_backward, walk_forward
from nst.transfer.tiles import Tile, fraction_in_core


def cost_in_tiles(
    network: Network, style_loss: str, image: tf.Tensor, targets: Targets, side_px: int
) -> tuple[Costs, tf.Tensor]:
    """Return the costs by name and the gradient of their total; see cost_in_one_piece.

    side_px  the side of tiles for block 1; see tiles

    Without guides one chain of gradients goes back; with guides, one for the content and one for each region.
    """
    size, layout = (image.shape[0], image.shape[1]), targets.layout
    graphs = {
        segment: tile_graphs(segment, style_loss, layout, last=segment is network.segments[-1])
        for segment in network.segments
    }
    statistics: list[Statistics] = [dict.fromkeys(layout.style_layers, 0.0) for _ in targets.regions]
    content = tf.constant(0.0)

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        nonlocal content
        part, found, output = graphs[segment].forward(x, tile_targets(segment, tile, size, targets))
        content += part
        for sums, values in zip(statistics, found, strict=True):
            for name, value in values.items():
                sums[name] += value
        return output

    inputs = list(walk_forward(network, image.numpy(), side_px, add))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(statistics)
        costs, of_regions = costs_by_name(STYLE_LOSSES[style_loss], content, statistics, targets)
    slopes = [tape.gradient(cost, sums) for cost, sums in zip(of_regions, statistics, strict=True)]

    def go_back(segment: Segment, x: tf.Tensor, tile: Tile, above: list[tf.Tensor]) -> list[tf.Tensor]:
        own = [{name: slope[name] for name in segment.layers if name in slope} for slope in slopes]
        part = tile_targets(segment, tile, size, targets)
        return graphs[segment].backward(x, part, targets.alpha_beta[0], own, above)

    gradient, *within = walk_backward(network, inputs, side_px, 1 + layout.guided, go_back)
    for region, part in zip(targets.regions if layout.guided else (), within, strict=True):
        gradient += region.guides[PIXELS].numpy() * part
    return costs, tf.constant(gradient)


class TileTargets(NamedTuple):
    """The part of a picture's targets that belongs to the core of a tile, for one segment.

    edges      the core_edges of the tile; see Tile
    fractions  by layer, the fraction of the picture's positions that lie in the core
    content    by layer, the target of the core; its factor is the picture's times the fraction
    guides     for each region, by layer, the weights of the core's positions; empty without guides
    """

    edges: tf.Tensor
    fractions: dict[str, tf.Tensor]
    content: dict[str, LayerTarget]
    guides: tuple[dict[str, tf.Tensor], ...]


def tile_targets(segment: Segment, tile: Tile, size: Size, targets: Targets) -> TileTargets:
    """Return the part of the targets of a picture of `size` that belongs to a tile."""

    def in_core(whole: tf.Tensor, name: str) -> np.ndarray:
        stride = stride_px(block_of(name))
        positions = whole.numpy().reshape(size[0] // stride, size[1] // stride, -1)
        return positions[tile.core(stride)].reshape(-1, positions.shape[2])

    fractions = {name: fraction_in_core(tile, size, name) for name in segment.layers}
    content = {
        name: LayerTarget(tf.constant(in_core(target.wanted, name), tf.float32), fractions[name] * target.factor)
        for name, target in targets.content.items()
        if name in fractions
    }
    guides = tuple(
        {name: tf.constant(in_core(guide, name)) for name, guide in region.guides.items() if name in fractions}
        for region in targets.regions
    )
    scalars = {name: tf.constant(fraction, tf.float32) for name, fraction in fractions.items()}
    return TileTargets(tf.constant(tile.core_edges), scalars, content, guides)


def tile_targets_signature(segment: Segment, layout: TargetsLayout) -> TileTargets:
    """Return the targets of a tile of any size as a graph's input_signature describes them."""
    whole = layout.signature()
    return TileTargets(
        tf.TensorSpec([2, 2], tf.int32),
        dict.fromkeys(segment.layers, tf.TensorSpec([])),
        {name: target for name, target in whole.content.items() if name in segment.layers},
        tuple(
            {name: guide for name, guide in region.guides.items() if name in segment.layers} for region in whole.regions
        ),
    )


class TileGraphs(NamedTuple):
    """A segment with the costs of its layers, as graphs for all its tiles.

    forward   (the tile's input, TileTargets) -> the core's part of the content cost, the core's part of the statistics
              of each region, and the segment's output cropped to the core, or None for the last segment
    backward  (the tile's input, TileTargets, alpha, the slope of each region's cost in its statistics, d/d(output) of
              each chain, or nothing for the last segment) -> d/d(input) of each chain
    """

    forward: Callable[..., tuple[tf.Tensor, list[Statistics], tf.Tensor | None]]
    backward: Callable[..., list[tf.Tensor]]


@lru_cache(maxsize=16)
def tile_graphs(segment: Segment, style_loss: str, layout: TargetsLayout, *, last: bool) -> TileGraphs:
    """Return the graphs of a segment for targets with this layout. `last` tells whether no segment follows."""
    loss, guided = STYLE_LOSSES[style_loss], layout.guided
    tile = tf.TensorSpec([None, None, segment.channels], segment.dtype), tile_targets_signature(segment, layout)
    statistics = {name: tf.TensorSpec([None, None]) for name in segment.layers if name in layout.style_layers}
    above = [] if last else [tf.TensorSpec([None, None, None])] * (1 + guided)

    @tf.function(input_signature=tile, autograph=False)
    def forward(x: tf.Tensor, targets: TileTargets) -> tuple[tf.Tensor, list[Statistics], tf.Tensor | None]:
        return _costs_in_core(segment, loss, layout.style_layers, x, targets)

    @tf.function(
        input_signature=(*tile, tf.TensorSpec([]), [statistics] * max(1, guided), above),
        autograph=False,
    )
    def backward(
        x: tf.Tensor, targets: TileTargets, alpha: tf.Tensor, slopes: list[Statistics], above: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            content, found, output = _costs_in_core(segment, loss, layout.style_layers, x, targets)
        of_content = [(content, alpha)] if targets.content else []
        of_regions = [[(ours[name], slope[name]) for name in ours] for ours, slope in zip(found, slopes, strict=True)]
        chains = [of_content, *of_regions] if guided else [of_content + of_regions[0]]
        if output is not None:
            for chain, upstream in zip(chains, above, strict=True):
                chain.append((output, tf.cast(upstream, output.dtype)))
        return [_gradient(tape, chain, x) for chain in chains]

    return TileGraphs(forward, backward)


def _costs_in_core(
    segment: Segment, loss: StyleLoss, style_layers: tuple[str, ...], x: tf.Tensor, targets: TileTargets
) -> tuple[tf.Tensor, list[Statistics], tf.Tensor | None]:
    """Return, for the core of the tile with the input x, the three parts that TileGraphs.forward gives."""
    found, output = run_on_core(segment, x, targets.edges)
    own = {name: flat(activation) for name, activation in found.items()}
    content = tf.add_n(
        [tf.constant(0.0), *(t.factor * content_cost(own[name], t.wanted) for name, t in targets.content.items())]
    )
    statistics = [
        {
            name: loss.statistics(own[name], guides[name])
            if guides
            else targets.fractions[name] * loss.statistics(own[name])
            for name in style_layers
            if name in own
        }
        for guides in targets.guides
    ]
    return content, statistics, output


def _gradient(tape: tf.GradientTape, chain: list[tuple[tf.Tensor, tf.Tensor]], x: tf.Tensor) -> tf.Tensor:
    """Return d/dx, float32, of a cost whose slope in some tensors is known.

    chain  pairs of such a tensor and the slope of the cost in it
    """
    if not chain:
        return tf.zeros(tf.shape(x))
    tensors, slopes = zip(*chain, strict=True)
    return tf.cast(tape.gradient(list(tensors), x, output_gradients=list(slopes)), tf.float32)
