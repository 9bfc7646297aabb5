"""The cost of one picture against its targets, with its gradient: in one piece, or tile by tile with the same result.

Statistics are sums over positions. So a picture in tiles takes two walks through the network: the first adds up those
of the whole picture; then the slope of the cost in them is known, and the second takes it back to the pixels.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import block_of, stride_px
from nst.network.vgg19 import Network, Segment, flat
from nst.pictures.picture_files import Size
from nst.settings import Settings
from nst.transfer.losses import STYLE_LOSSES, StyleLoss, content_cost
from nst.transfer.tile_walk import walk, walk_back
from nst.transfer.tiles import UNTILED_PX, Tile, fits, share_of

PIXELS = "pixels"
KEPT_PX = 512  # the side of a square as large as the largest style whose statistics are kept

Costs = dict[str, tf.Tensor]
Statistics = dict[str, tf.Tensor]  # by layer, see StyleLoss


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
    """What the picture at one size is compared with, and how much content and style count: alpha and beta."""

    content: dict[str, LayerTarget]
    regions: tuple[Region, ...]
    weights: tf.Tensor


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
        return _tiled_measure(network, settings.style_loss, image, targets, tile_px)

    return measure


def activations(network: Network, image: np.ndarray, settings: Settings, tile_px: int) -> dict[str, tf.Tensor]:
    """Return the activations of an image at the content layers, [positions, channels].

    In float32, but of an image in tiles as the network leaves them, for memory.
    """
    names = [name for name, _ in settings.content_layers]
    if fits(image.shape[:2], tile_px):
        found = network(tf.constant(image))
        return {name: tf.cast(found[name], tf.float32) for name in names}
    whole: dict[str, np.ndarray] = {}

    def keep(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, left = core_of(segment, x, tile)
        for name in set(names) & set(found):
            stride, own = stride_px(block_of(name)), found[name].numpy()
            if name not in whole:
                whole[name] = np.empty((*(side // stride for side in image.shape[:2]), own.shape[2]), own.dtype)
            whole[name][tile.core(stride)] = own
        return left

    deque(walk(network, image, tile_px, keep), maxlen=0)
    return {name: flat(tf.constant(whole[name])) for name in names}


def statistics(network: Network, image: np.ndarray, settings: Settings, tile_px: int) -> Statistics:
    """Return the statistics of an image at the style layers. Those of small images are kept for the next picture."""
    size, names = image.shape[:2], tuple(name for name, _ in settings.style_layers)
    if fits(size, min(KEPT_PX, tile_px)):
        digest = hashlib.sha256(image.tobytes()).digest()
        return _kept_statistics(network, settings.style_loss, names, _Known(digest, image.shape, image))
    if fits(size, tile_px):
        return _statistics_of_whole(network, settings.style_loss, names, image)
    found_in = STYLE_LOSSES[settings.style_loss].statistics
    sums: Statistics = dict.fromkeys(names, 0.0)

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, left = core_of(segment, x, tile)
        for name in set(names) & set(found):
            sums[name] += share_of(tile, image.shape[:2], name) * found_in(flat(found[name]))
        return left

    deque(walk(network, image, tile_px, add), maxlen=0)
    return sums


@dataclass(frozen=True)
class _Known:
    """An image, known by its numbers' SHA-256 and its shape."""

    digest: bytes
    shape: tuple[int, ...]
    image: np.ndarray = field(compare=False)


@lru_cache(maxsize=24)
def _kept_statistics(network: Network, style_loss: str, names: tuple[str, ...], known: _Known) -> Statistics:
    return _statistics_of_whole(network, style_loss, names, known.image)


def _statistics_of_whole(network: Network, style_loss: str, names: tuple[str, ...], image: np.ndarray) -> Statistics:
    found = network(tf.constant(image))
    return {name: STYLE_LOSSES[style_loss].statistics(found[name]) for name in names}


def core_of(segment: Segment, x: tf.Tensor, tile: Tile) -> tuple[dict[str, tf.Tensor], tf.Tensor | None]:
    """Return what a segment makes of the core of a tile: activations by layer, and what the next segment takes."""
    found, left = segment.run(x)
    own = {name: activation[tile.inner(stride_px(block_of(name)))] for name, activation in found.items()}
    return own, None if left is None else left[tile.inner(stride_px(segment.last_block + 1))]


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
            costs, parts = _costs(loss, content, statistics, targets)
            weighted = [targets.weights[0] * content, *parts] if regions else []
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


def _costs(
    loss: StyleLoss, content: tf.Tensor, statistics: Sequence[Statistics], targets: Targets
) -> tuple[Costs, list[tf.Tensor]]:
    """Return the costs by name, and beta times that of each region."""
    alpha, beta = tf.unstack(targets.weights)
    styles = [
        tf.add_n([t.factor * loss.cost(ours[name], t.wanted) for name, t in region.style.items()])
        for ours, region in zip(statistics, targets.regions, strict=True)
    ]
    style = tf.add_n(styles)
    return {"total": alpha * content + beta * style, "content": content, "style": style}, [beta * s for s in styles]


def _tiled_measure(
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
        costs, parts = _costs(STYLE_LOSSES[style_loss], content, statistics, targets)
    slopes = [tape.gradient(part, sums) for part, sums in zip(parts, statistics, strict=True)]

    def back(segment: Segment, x: tf.Tensor, tile: Tile, above: list[tf.Tensor]) -> list[tf.Tensor]:
        some = [{name: slope[name] for name in segment.layers if name in slope} for slope in slopes]
        step = _backward(segment, style_loss, styles, guided)
        return step(x, _local(segment, tile, size, targets), targets.weights[0], some, above)

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
