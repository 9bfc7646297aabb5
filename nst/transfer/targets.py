"""The targets of a picture at a scale: content activations of the photo, and statistics of the styles."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
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
from nst.transfer.losses import STYLE_LOSSES, content_cost
from nst.transfer.masks import position_weights, style_shares, total
from nst.transfer.scales import Scale
from nst.transfer.tile_walk import run_on_core, walk_forward
from nst.transfer.tiles import UNTILED_PX, Tile, fits, fraction_in_core

PIXELS = "pixels"  # The key of the guide of the pixels, beside those of the layers.
KEPT_PX = 512  # The side of a square as large as the largest style whose statistics are kept.
LOT = 8192  # The number of positions whose content cost is computed at a time for the balance, to save memory.
Statistics = dict[str, tf.Tensor]  # The statistics of an image by layer; see StyleLoss.


class LayerTarget(NamedTuple):
    """The target of one layer, and the factor of the layer's cost."""

    wanted: tf.Tensor  # content: activation [positions, channels]; style: see StyleLoss.target
    factor: tf.Tensor


class Region(NamedTuple):
    """The targets of a style, or of a blend of styles, by layer, and where it belongs.

    guides  empty for a region that is everywhere; else the style's share of each pixel [height, width, 1], under
            PIXELS, and the weights of a layer's positions [positions, 1], under the layer's name
    """

    style: dict[str, LayerTarget]
    guides: dict[str, tf.Tensor]


class Targets(NamedTuple):
    """The targets of the picture at one size, and the weights of content and style: alpha and beta."""

    content: dict[str, LayerTarget]
    regions: tuple[Region, ...]
    alpha_beta: tf.Tensor

    @property
    def layout(self) -> TargetsLayout:
        """Return all that a graph for these targets depends on."""
        guided = len(self.regions) if self.regions[0].guides else 0
        return TargetsLayout(tuple(self.content), tuple(self.regions[0].style), guided)


class TargetsLayout(NamedTuple):
    """The layers of targets, and the number of regions with guides. Without guides there is one region."""

    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    guided: int

    def signature(self) -> Targets:
        """Return targets of any size as a graph's input_signature describes them."""
        numbers = LayerTarget(tf.TensorSpec([None, None]), tf.TensorSpec([]))
        content, style = (dict.fromkeys(layers, numbers) for layers in (self.content_layers, self.style_layers))
        guides = {PIXELS: tf.TensorSpec([None, None, 1]), **{name: tf.TensorSpec([None, 1]) for name in style}}
        regions = tuple(Region(style, guides) for _ in range(self.guided)) or (Region(style, {}),)
        return Targets(content, regions, tf.TensorSpec([2]))


@dataclass(frozen=True)
class View:
    """The picture at one size, and its targets there. Made once for each scale, and used again at all finer scales."""

    size: Size
    targets: Targets


def make_view(network: Network, inputs: Inputs, scale: Scale, *, tile_px: int = UNTILED_PX) -> View:
    """Return the view of pictures of a scale, with targets from the photo and the styles at the scale's sizes.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    settings = inputs.settings
    photo = activations(network, resize(inputs.content, scale.size), settings, tile_px)
    content = {
        layer: _layer_target(_content_cost_in_lots, photo[layer], weight, settings)
        for layer, weight in settings.content_layers
    }
    styles = [
        statistics(network, resize(style, size), settings, tile_px)
        for style, size in zip(inputs.styles, scale.style_sizes, strict=True)
    ]
    alpha_beta = tf.constant(settings.cost_weights, tf.float32)
    return View(scale.size, Targets(content, _regions(styles, inputs, scale.size), alpha_beta))


def activations(network: Network, image: np.ndarray, settings: Settings, tile_px: int) -> dict[str, tf.Tensor]:
    """Return the activations [positions, channels] of an image at the content layers.

    They are float32, but for an image in tiles of the network's type, to save memory.
    """
    names = [name for name, _ in settings.content_layers]
    if fits(image.shape[:2], tile_px):
        found = network(tf.constant(image))
        return {name: tf.cast(found[name], tf.float32) for name in names}
    whole: dict[str, np.ndarray] = {}

    def keep(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
        for name in set(names) & set(found):
            stride, own = stride_px(block_of(name)), found[name].numpy()
            if name not in whole:
                whole[name] = np.empty((*(side // stride for side in image.shape[:2]), own.shape[2]), own.dtype)
            whole[name][tile.core(stride)] = own
        return output

    deque(walk_forward(network, image, tile_px, keep), maxlen=0)
    return {name: flat(tf.constant(whole[name])) for name in names}


def statistics(network: Network, image: np.ndarray, settings: Settings, tile_px: int) -> Statistics:
    """Return the statistics of an image at the style layers. Those of small images are kept for the next picture."""
    size, names = image.shape[:2], tuple(name for name, _ in settings.style_layers)
    if fits(size, min(KEPT_PX, tile_px)):
        digest = hashlib.sha256(image.tobytes()).digest()
        return _kept_statistics(network, settings.style_loss, names, _Known(digest, image.shape, image))
    if fits(size, tile_px):
        return _statistics_in_one_piece(network, settings.style_loss, names, image)
    statistics_of = STYLE_LOSSES[settings.style_loss].statistics
    sums: Statistics = dict.fromkeys(names, 0.0)

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
        for name in set(names) & set(found):
            sums[name] += fraction_in_core(tile, size, name) * statistics_of(flat(found[name]))
        return output

    deque(walk_forward(network, image, tile_px, add), maxlen=0)
    return sums


@dataclass(frozen=True)
class _Known:
    """An image, known by its shape and the SHA-256 of its numbers."""

    digest: bytes
    shape: tuple[int, ...]
    image: np.ndarray = field(compare=False)


@lru_cache(maxsize=24)
def _kept_statistics(network: Network, style_loss: str, names: tuple[str, ...], known: _Known) -> Statistics:
    return _statistics_in_one_piece(network, style_loss, names, known.image)


def _statistics_in_one_piece(
    network: Network, style_loss: str, names: tuple[str, ...], image: np.ndarray
) -> Statistics:
    found = network(tf.constant(image))
    return {name: STYLE_LOSSES[style_loss].statistics(found[name]) for name in names}


def _regions(styles: list[Statistics], inputs: Inputs, size: Size) -> tuple[Region, ...]:
    """Return one region with the mean of the styles' statistics, or with masks, one region for each style."""
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


def _region(style: Statistics, weight: float, share: np.ndarray | None, settings: Settings) -> Region:
    """Return the region of a style: everywhere, or by the style's share [height, width, 1] of each pixel."""
    loss = STYLE_LOSSES[settings.style_loss]
    targets = {
        layer: _layer_target(loss.cost, loss.target(style[layer]), weight * layer_weight, settings)
        for layer, layer_weight in settings.style_layers
    }
    if share is None:
        return Region(targets, {})
    guides = {layer: tf.constant(position_weights(share, layer), tf.float32) for layer in targets}
    return Region(targets, {PIXELS: tf.constant(share, tf.float32), **guides})


def _layer_target(
    cost: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], wanted: tf.Tensor, weight: float, settings: Settings
) -> LayerTarget:
    """Return the target with its weight, with balance divided by the cost of a picture without any activation."""
    nothing = float(cost(tf.zeros_like(wanted), wanted)) if settings.balance else 1.0
    return LayerTarget(wanted, tf.constant(weight / max(nothing, 1e-12), tf.float32))


def _content_cost_in_lots(found: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Return content_cost without another array of the activations' size."""
    costs = [
        content_cost(found[start : start + LOT], wanted[start : start + LOT])
        * (min(LOT, wanted.shape[0] - start) / wanted.shape[0])
        for start in range(0, wanted.shape[0], LOT)
    ]
    return tf.add_n(costs)
