"""TODO."""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.layers import block_of, stride_px
from nst.network.vgg19 import Network, Segment, flat
from nst.pictures.resizing import Size, resize
from nst.settings import Settings
from nst.transfer.inputs import Inputs
from nst.transfer.losses import STYLE_LOSSES, Costs, StyleLoss, content_cost
from nst.transfer.masks import at_layer, style_shares, total
from nst.transfer.scales import Scale
from nst.transfer.tile_walk import walk
from nst.transfer.tiles import UNTILED_PX, Tile, fits, share_of

PIXELS = "pixels"
KEPT_PX = 512  # the side of a square as large as the largest style whose statistics are kept
Statistics = dict[str, tf.Tensor]  # by layer, see StyleLoss
LOT = 8192  # positions, for memory


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
    alpha_beta: tf.Tensor


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


def costs_of(
    loss: StyleLoss, content: tf.Tensor, statistics: Sequence[Statistics], targets: Targets
) -> tuple[Costs, list[tf.Tensor]]:
    """Return the costs by name, and beta times that of each region."""
    alpha, beta = tf.unstack(targets.alpha_beta)
    styles = [
        tf.add_n([t.factor * loss.cost(ours[name], t.wanted) for name, t in region.style.items()])
        for ours, region in zip(statistics, targets.regions, strict=True)
    ]
    style = tf.add_n(styles)
    return {"total": alpha * content + beta * style, "content": content, "style": style}, [beta * s for s in styles]


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
