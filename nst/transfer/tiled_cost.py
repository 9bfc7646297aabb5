"""TODO."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import block_of, stride_px
from nst.network.vgg19 import Network, Segment, flat
from nst.pictures.resizing import Size
from nst.transfer.losses import STYLE_LOSSES, Costs, StyleLoss, content_cost
from nst.transfer.targets import PIXELS, LayerTarget, Statistics, Targets, costs_of
from nst.transfer.tile_walk import walk, walk_back
from nst.transfer.tiles import Tile, share_of


def tiled_measure(
    network: Network, style_loss: str, image: tf.Tensor, targets: Targets, side_px: int
) -> tuple[Costs, tf.Tensor]:
    """Return costs and gradient of a picture in tiles.

    Without guides one chain of gradients goes back; with them, one of the content and one of each region.
    """
    size, guided = (image.shape[0], image.shape[1]), bool(targets.regions[0].guides)
    styles = tuple(tuple(region.style) for region in targets.regions)
    statistics: list[Statistics] = [dict.fromkeys(layers, 0.0) for layers in styles]
    content = tf.constant(0.0)

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        nonlocal content
        part, found, left = _forward(segment, style_loss, styles)(x, _local(segment, tile, size, targets))
        content += part
        for sums, some in zip(statistics, found, strict=True):
            for name, value in some.items():
                sums[name] += value
        return left

    taken = list(walk(network, image.numpy(), side_px, add))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(statistics)
        costs, parts = costs_of(STYLE_LOSSES[style_loss], content, statistics, targets)
    slopes = [tape.gradient(part, sums) for part, sums in zip(parts, statistics, strict=True)]

    def back(segment: Segment, x: tf.Tensor, tile: Tile, above: list[tf.Tensor]) -> list[tf.Tensor]:
        some = [{name: slope[name] for name in segment.layers if name in slope} for slope in slopes]
        step = _backward(segment, style_loss, styles, guided)
        return step(x, _local(segment, tile, size, targets), targets.alpha_beta[0], some, above)

    gradient, *within = walk_back(network, taken, side_px, 1 + guided * len(styles), back)
    for region, part in zip(targets.regions if guided else (), within, strict=True):
        gradient += region.guides[PIXELS].numpy() * part
    return costs, tf.constant(gradient)


class Local(NamedTuple):
    """What a tile of a segment needs to know.

    core      [[top, bottom], [left, right]] of the core in the tile, in px of the picture
    shares    by layer, how much of the whole picture's positions are in the core
    contents  by layer, the target in the core, its factor that for the whole picture times the share
    guides    for each region by layer, the weight of each position in the core; empty without guides
    """

    core: tf.Tensor
    shares: dict[str, tf.Tensor]
    contents: dict[str, LayerTarget]
    guides: tuple[dict[str, tf.Tensor], ...]


def _local(segment: Segment, tile: Tile, size: Size, targets: Targets) -> Local:
    """Return the part of the targets of a picture that belongs to a tile."""

    def cut(whole: tf.Tensor, name: str) -> np.ndarray:
        stride = stride_px(block_of(name))
        positions = whole.numpy().reshape(size[0] // stride, size[1] // stride, -1)
        return positions[tile.core(stride)].reshape(-1, positions.shape[2])

    shares = {name: share_of(tile, size, name) for name in segment.layers}
    contents = {
        name: LayerTarget(tf.constant(cut(target.wanted, name), tf.float32), shares[name] * target.factor)
        for name, target in targets.content.items()
        if name in shares
    }
    guides = tuple(
        {name: tf.constant(cut(guide, name)) for name, guide in region.guides.items() if name in shares}
        for region in targets.regions
    )
    rows, columns = tile.inner(1)
    core = tf.constant([[rows.start, rows.stop], [columns.start, columns.stop]])
    return Local(core, {name: tf.constant(share, tf.float32) for name, share in shares.items()}, contents, guides)


def _in_core(
    segment: Segment, loss: StyleLoss, styles: Sequence[Iterable[str]], x: tf.Tensor, local: Local
) -> tuple[tf.Tensor, list[Statistics], tf.Tensor | None]:
    """Return of the core of a tile its part of content cost and statistics, and what the segment leaves of it.

    styles  for each region, the layers that its style is taken from
    """
    found, left = segment.run(x)
    own = {name: flat(_cut(activation, local.core, stride_px(block_of(name)))) for name, activation in found.items()}
    content = tf.add_n(
        [tf.constant(0.0), *(t.factor * content_cost(own[name], t.wanted) for name, t in local.contents.items())]
    )
    statistics = [
        {
            name: loss.statistics(own[name], guides[name])
            if guides
            else local.shares[name] * loss.statistics(own[name])
            for name in layers
            if name in own
        }
        for layers, guides in zip(styles, local.guides, strict=True)
    ]
    return content, statistics, None if left is None else _cut(left, local.core, stride_px(segment.last_block + 1))


def _cut(positions: tf.Tensor, core: tf.Tensor, stride: int) -> tf.Tensor:
    """Return what of a tile's [height, width, channels], `stride` px apart, is in its core.

    By tf.slice, as the gradient of indexing takes twenty times as long.
    """
    edges = core // stride
    channels = tf.constant([positions.shape[2]])
    return tf.slice(positions, tf.concat([edges[:, 0], [0]], 0), tf.concat([edges[:, 1] - edges[:, 0], channels], 0))


@lru_cache(maxsize=16)
def _forward(segment: Segment, style_loss: str, styles: tuple[tuple[str, ...], ...]) -> Callable[..., Any]:
    """Return _in_core as a graph, one for all tiles."""
    loss = STYLE_LOSSES[style_loss]
    return tf.function(
        lambda x, local: _in_core(segment, loss, styles, x, local), autograph=False, reduce_retracing=True
    )


@lru_cache(maxsize=16)
def _backward(
    segment: Segment, style_loss: str, styles: tuple[tuple[str, ...], ...], guided: bool
) -> Callable[..., list[tf.Tensor]]:
    """Return the gradient of each chain in what a tile takes, as a graph, one for all tiles."""
    loss = STYLE_LOSSES[style_loss]

    @tf.function(autograph=False, reduce_retracing=True)
    def gradients(
        x: tf.Tensor, local: Local, alpha: tf.Tensor, slopes: list[Statistics], above: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """`slopes`: of each region's cost in its statistics; `above`: of each chain in what the segment leaves."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            content, statistics, left = _in_core(segment, loss, styles, x, local)
        of_regions = [
            [(some[name], slope[name]) for name in some] for some, slope in zip(statistics, slopes, strict=True)
        ]
        of_content = [(content, alpha)] if local.contents else []
        chains = [of_content, *of_regions] if guided else [of_content + of_regions[0]]
        for chain, upstream in zip(chains, above or [None] * len(chains), strict=True):
            if left is not None and upstream is not None:
                chain.append((left, tf.cast(upstream, left.dtype)))
        return [_gradient(tape, chain, x) for chain in chains]

    return gradients


def _gradient(tape: tf.GradientTape, chain: list[tuple[tf.Tensor, tf.Tensor]], x: tf.Tensor) -> tf.Tensor:
    """Return the gradient in x, float32, of costs whose slopes in some tensors are known: (tensor, slope)."""
    if not chain:
        return tf.zeros(tf.shape(x))
    tensors, slopes = zip(*chain, strict=True)
    return tf.cast(tape.gradient(list(tensors), x, output_gradients=list(slopes)), tf.float32)
