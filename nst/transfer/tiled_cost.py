"""The cost of a picture in tiles against its targets, with the gradient: the same as of the picture in one piece.

Statistics are sums over positions, and the match has sums over layers, and so a picture in tiles goes through the
network twice. The first walk adds up the sums of the whole picture. Then the slope of the cost in each of them is
known, and the second walk carries these slopes back to the pixels.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import stride_of
from nst.network.vgg19 import Network, Segment
from nst.system.large_arrays import strips
from nst.transfer.cost import costs_by_name, joined, reader
from nst.transfer.losses import Costs
from nst.transfer.places import Places
from nst.transfer.statistics import Statistics
from nst.transfer.style_loss import StyleLoss
from nst.transfer.targets import ContentTarget, MatchLayer, TargetsLayout, View
from nst.transfer.tile_walk import run_on_core, walk_backward, walk_forward
from nst.transfer.tiles import Tile, fraction_in_core


def cost_in_tiles(network: Network, image: np.ndarray, view: View, side_px: int) -> tuple[Costs, np.ndarray]:
    """Return the costs by name and the gradient of their total; see cost_in_one_piece.

    side_px  the side of tiles for block 1; see tiles

    Without regions one chain of gradients goes back; with regions, one for the content and one for each region.
    """
    size, targets, layout = view.size, view.targets, view.layout
    network, places = network.up_to(layout.layers), layout.places
    graphs = {segment: tile_graphs(segment, view.style_loss, layout) for segment in network.segments}
    statistics: list[Statistics] = [dict.fromkeys(part.style, 0.0) for part in targets.parts]
    sums = np.zeros((*places.grid(size), 2), np.float32)
    content = tf.constant(0.0)

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        nonlocal content
        part, found, matched, output = graphs[segment].forward(x, tile_targets(segment, tile, view))
        content += part
        for some, values in zip(statistics, found, strict=True):
            for name, value in values.items():
                some[name] += value
        if layout.match_layers:
            there = sums[_core_places(tile, places)]
            there += matched.numpy().reshape(there.shape)
        return output

    inputs = list(walk_forward(network, image, side_px, add, grid_px=places.square_px))
    whole = tf.constant(sums.reshape(-1, 2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([statistics, whole])
        costs, of_regions = costs_by_name(view.style_loss, layout, content, statistics, whole, targets)
    zero = tf.UnconnectedGradients.ZERO
    each = len(statistics) // layout.regions
    own = [statistics[start : start + each] for start in range(0, len(statistics), each)]
    slopes = [
        (tape.gradient(cost, parts), tape.gradient(cost, whole, unconnected_gradients=zero).numpy().reshape(sums.shape))
        for cost, parts in zip(of_regions, own, strict=True)
    ]

    def go_back(segment: Segment, x: tf.Tensor, tile: Tile, above: list[tf.Tensor]) -> list[tf.Tensor]:
        of_tile = [
            RegionSlopes(
                [{name: part[name] for name in segment.layers if name in part} for part in parts],
                tf.constant(of_sums[_core_places(tile, places)].reshape(-1, 2)),
            )
            for parts, of_sums in slopes
        ]
        return graphs[segment].backward(x, tile_targets(segment, tile, view), targets.factors[0], of_tile, above)

    gradient, *within = walk_backward(network, inputs, side_px, 1 + layout.guided, go_back, grid_px=places.square_px)
    for share, part in zip(targets.pixels, within, strict=True):
        amount = np.asarray(share)
        for rows in strips(size):
            gradient[rows] += amount[rows] * part[rows]
    return costs, gradient


class RegionSlopes(NamedTuple):
    """The slopes of what a region adds to the cost: in the statistics of each of its parts, and in the match's sums.

    match  [places of the core, 2]
    """

    statistics: list[Statistics]
    match: tf.Tensor


class TileTargets(NamedTuple):
    """The part of a picture's targets that belongs to the core of a tile, for one segment.

    edges      the core_edges of the tile; see Tile
    fractions  by layer, the fraction of the picture's positions that lie in the core
    content    by layer, the target of the core; its factor is the picture's times the fraction
    weights    for each part, by layer, the weights of the core's positions; empty where it is the whole picture
    match      by layer, the wanted hypercolumns of the core's places
    """

    edges: tf.Tensor
    fractions: dict[str, tf.Tensor]
    content: dict[str, ContentTarget]
    weights: tuple[dict[str, tf.Tensor], ...]
    match: dict[str, MatchLayer]


def tile_targets(segment: Segment, tile: Tile, view: View) -> TileTargets:
    """Return the part of the targets of a view that belongs to a tile."""
    size, targets, names = view.size, view.targets, segment.layers

    def in_core(whole: tf.Tensor | np.ndarray, stride: int) -> tf.Tensor:
        positions = np.asarray(whole).reshape(size[0] // stride, size[1] // stride, -1)
        return tf.constant(positions[tile.core(stride)].reshape(-1, *whole.shape[1:]), tf.float32)

    fractions = {name: fraction_in_core(tile, size, name) for name in names}
    content = {
        name: ContentTarget(
            in_core(target.wanted, stride_of(name)),
            in_core(target.weights, stride_of(name)),
            fractions[name] * target.factor,
        )
        for name, target in targets.content.items()
        if name in names
    }
    weights = tuple(
        {name: in_core(some, stride_of(name)) for name, some in part.weights.items() if name in names}
        for part in targets.parts
    )
    match = {
        name: MatchLayer(*(in_core(numbers, view.layout.places.step_px(name)) for numbers in target))
        for name, target in targets.match.layers.items()
        if name in names
    }
    scalars = {name: tf.constant(fraction, tf.float32) for name, fraction in fractions.items()}
    return TileTargets(tf.constant(tile.core_edges), scalars, content, weights, match)


def _core_places(tile: Tile, places: Places) -> tuple[slice, slice]:
    """Return the slice of the core of a tile in an array of the picture's places."""
    along = places.square_px // places.side_px
    rows, columns = (slice(along * part.start, along * part.stop) for part in tile.core(places.square_px))
    return rows, columns


def tile_targets_signature(segment: Segment, layout: TargetsLayout) -> TileTargets:
    """Return the targets of a tile of any size as a graph's input_signature describes them."""
    whole, names = layout.signature(), segment.layers
    return TileTargets(
        tf.TensorSpec([2, 2], tf.int32),
        dict.fromkeys(names, tf.TensorSpec([])),
        {name: target for name, target in whole.content.items() if name in names},
        tuple({name: some for name, some in part.weights.items() if name in names} for part in whole.parts),
        {name: target for name, target in whole.match.layers.items() if name in names},
    )


class TileGraphs(NamedTuple):
    """A segment with the costs of its layers, as graphs for all its tiles.

    forward   (the tile's input, TileTargets) -> the core's part of the content cost, the core's part of the statistics
              of each part, the core's sums of match_cost, and the segment's output cropped to the core, or None of the
              last segment
    backward  (the tile's input, TileTargets, alpha, RegionSlopes of each region, d/d(output) of each chain, or nothing
              for the last segment) -> d/d(input) of each chain
    """

    forward: Callable[..., tuple[tf.Tensor, list[Statistics], tf.Tensor, tf.Tensor | None]]
    backward: Callable[..., list[tf.Tensor]]


@lru_cache(maxsize=16)
def tile_graphs(segment: Segment, loss: StyleLoss, layout: TargetsLayout) -> TileGraphs:
    """Return the graphs of a segment for targets with this layout."""
    chains = 1 + layout.guided
    tile = tf.TensorSpec([None, None, segment.channels], segment.dtype), tile_targets_signature(segment, layout)
    each = len(layout.style_layers) // layout.regions
    statistics = [
        {name: tf.TensorSpec([None, None]) for name in segment.layers if name in part} for part in layout.style_layers
    ]
    slopes = [
        RegionSlopes(statistics[start : start + each], tf.TensorSpec([None, 2]))
        for start in range(0, len(statistics), each)
    ]
    above = [] if segment.until else [tf.TensorSpec([None, None, None])] * chains

    @tf.function(input_signature=tile, autograph=False)
    def forward(x: tf.Tensor, targets: TileTargets) -> tuple[tf.Tensor, list[Statistics], tf.Tensor, tf.Tensor | None]:
        return _costs_in_core(segment, loss, layout, x, targets)

    @tf.function(input_signature=(*tile, tf.TensorSpec([]), slopes, above), autograph=False)
    def backward(
        x: tf.Tensor, targets: TileTargets, alpha: tf.Tensor, slopes: list[RegionSlopes], above: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            content, found, sums, output = _costs_in_core(segment, loss, layout, x, targets)
        of_regions = []
        for index, region in enumerate(slopes):
            parts = zip(found[index * each : (index + 1) * each], region.statistics, strict=True)
            pairs = [(ours[name], slope[name]) for ours, slope in parts for name in ours]
            of_regions.append(pairs + ([(sums, region.match)] if targets.match else []))
        of_content = [(content, alpha)] if targets.content else []
        pairs_of = [of_content, *of_regions] if layout.guided else [of_content + of_regions[0]]
        if output is not None:
            for pairs, upstream in zip(pairs_of, above, strict=True):
                pairs.append((output, tf.cast(upstream, output.dtype)))
        return [_gradient(tape, pairs, x) for pairs in pairs_of]

    return TileGraphs(forward, backward)


def _costs_in_core(
    segment: Segment, loss: StyleLoss, layout: TargetsLayout, x: tf.Tensor, targets: TileTargets
) -> tuple[tf.Tensor, list[Statistics], tf.Tensor, tf.Tensor | None]:
    """Return, for the core of the tile with the input x, the four parts that TileGraphs.forward gives."""
    read = reader(loss, layout, targets.content, targets.weights, targets.match)
    readings, output = run_on_core(segment, x, targets.edges, read, one_way_back=not layout.guided)
    content, statistics, sums = joined(readings, layout, tf.unstack(targets.edges[:, 1] - targets.edges[:, 0]))
    if not layout.weighted:
        statistics = [{name: targets.fractions[name] * some for name, some in part.items()} for part in statistics]
    return content, statistics, sums, output


def _gradient(tape: tf.GradientTape, pairs: list[tuple[tf.Tensor, tf.Tensor]], x: tf.Tensor) -> tf.Tensor:
    """Return d/dx, float32, of a cost whose slope in some tensors is known.

    pairs  of such a tensor and the slope of the cost in it
    """
    if not pairs:
        return tf.zeros(tf.shape(x))
    tensors, slopes = zip(*pairs, strict=True)
    return tf.cast(tape.gradient(list(tensors), x, output_gradients=list(slopes)), tf.float32)
