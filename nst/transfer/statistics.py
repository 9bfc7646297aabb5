"""The statistics of an image at layers, whole or with weights of positions, in one piece or in tiles."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import tensorflow as tf

from nst.layers import stride_of
from nst.network.vgg19 import Network, Segment, flat
from nst.transfer.known_image import KEPT_PX, KnownImage
from nst.transfer.masks import position_weights
from nst.transfer.style_loss import StyleLoss
from nst.transfer.tile_walk import run_on_core, walk_forward
from nst.transfer.tiles import Tile, fits, fraction_in_core

Statistics = dict[str, tf.Tensor]  # The statistics of an image by layer; see StyleLoss.
Weights = dict[str, np.ndarray]  # By layer, the weights of positions [positions, 1], with a sum of 1.


def statistics(
    network: Network, known: KnownImage, layers: Sequence[str], style_loss: StyleLoss, *, tile_px: int
) -> Statistics:
    """Return the statistics of an image. Those of small images are kept for the next picture.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    if fits(known.shape, min(KEPT_PX, tile_px)):
        return _kept_statistics(network, known, tuple(layers), style_loss)
    return _statistics(network, known, layers, style_loss, tile_px)


@lru_cache(maxsize=24)
def _kept_statistics(network: Network, known: KnownImage, layers: tuple[str, ...], style_loss: StyleLoss) -> Statistics:
    return _statistics(network, known, layers, style_loss, max(known.shape))


@lru_cache(maxsize=4)  # About as many as a clip has scales.
def _kept_maps(network: Network, known: KnownImage) -> dict[str, tf.Tensor]:
    return network.maps(tf.constant(known.image))


def _statistics(
    network: Network, known: KnownImage, layers: Sequence[str], style_loss: StyleLoss, tile_px: int
) -> Statistics:
    return weighted_statistics(network, known, layers, style_loss, [whole(known, layers)], tile_px=tile_px)[0]


def whole(known: KnownImage, layers: Sequence[str]) -> Weights:
    """Return the weights of positions that let all of an image count where it is shown."""
    return {} if known.shown is None else {name: position_weights(known.shown[..., None], name) for name in layers}


def weighted_statistics(
    network: Network,
    known: KnownImage,
    layers: Sequence[str],
    style_loss: StyleLoss,
    weightings: Sequence[Weights],
    *,
    tile_px: int,
    keep: bool = False,
) -> list[Statistics]:
    """Return the statistics of an image for each of some weightings. An empty weighting weighs all positions alike.

    keep  whether the activations of a small image are kept for other weightings, as for the next frame of a clip
    """
    network, image, size, of = network.up_to(layers), known.image, known.shape, style_loss.statistics
    if fits(size, tile_px):

        def read(layer: str, activation: tf.Tensor) -> list[tf.Tensor]:
            return [of(flat(activation), weights.get(layer)) for weights in weightings if layer in layers]

        if keep and fits(size, KEPT_PX):
            found = {layer: read(layer, activation) for layer, activation in _kept_maps(network, known).items()}
        else:
            found = network.readings(tf.constant(image), read)
        return [{name: found[name][index] for name in layers} for index in range(len(weightings))]
    sums: list[Statistics] = [dict.fromkeys(layers, 0.0) for _ in weightings]

    def add(segment: Segment, x: tf.Tensor, tile: Tile) -> tf.Tensor | None:
        found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
        for name in set(layers) & set(found):
            stride, own = stride_of(name), flat(found[name])
            for some, weights in zip(sums, weightings, strict=True):
                if weights:
                    whole = weights[name].reshape(size[0] // stride, size[1] // stride)
                    some[name] += of(own, whole[tile.core(stride)].reshape(-1, 1))
                else:
                    some[name] += fraction_in_core(tile, size, name) * of(own)
        return output

    deque(walk_forward(network, image, tile_px, add), maxlen=0)
    return sums
