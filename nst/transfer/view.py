"""The view of pictures of a scale: its targets, made from the photo, the styles, the photo's maps and the match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from nst.layers import SUBJECT_LAYERS, stride_of
from nst.network.vgg19 import Network
from nst.pictures.resizing import Size, resize, resize_matrix, size_with_long_side
from nst.system.large_arrays import drop_pages
from nst.transfer.first_picture import toward_style_colors
from nst.transfer.inputs import Inputs
from nst.transfer.losses import color_distances, content_cost
from nst.transfer.masks import reaches, region_shares
from nst.transfer.matching import Match
from nst.transfer.photo_maps import PhotoMaps, resize_map
from nst.transfer.places import places_of
from nst.transfer.scales import Scale
from nst.transfer.style_parts import everywhere, make_parts
from nst.transfer.targets import (
    ColorTarget,
    ContentTarget,
    MatchLayer,
    MatchTarget,
    Targets,
    TargetsLayout,
    View,
    balanced,
    placed,
)
from nst.transfer.tile_walk import maps_in_tiles
from nst.transfer.tiles import UNTILED_PX, fits

COLOR_PX = 28  # The long side of the copy whose colours are compared.
LOT = 8192  # The number of positions whose content cost is computed at a time for the balance, to save memory.


def make_view(
    network: Network,
    inputs: Inputs,
    scale: Scale,
    maps: PhotoMaps,
    match: Match | None = None,
    *,
    tile_px: int = UNTILED_PX,
) -> View:
    """Return the view of pictures of a scale, with targets from the photo and the styles at the scale's sizes.

    match    None where nothing is matched
    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    size, settings = scale.size, inputs.settings
    regions = region_shares(inputs, size)
    targets = Targets(
        _content_targets(network, inputs, size, maps, tile_px),
        make_parts(network, inputs, scale, regions, maps, match, tile_px),
        tuple(tf.constant(reach) for reach in reaches(regions)),
        _match_target(inputs, size, regions, maps, match),
        tf.constant(settings.cost_weights[:3], tf.float32),
    )
    layout = TargetsLayout(
        tuple(targets.content),
        tuple(tuple(part.style) for part in targets.parts),
        tuple(targets.match.layers),
        weighted=bool(targets.parts[0].weights),
        guided=len(regions),
        places=places_of(size, [layer for layer, _ in settings.match_layers]),
    )
    return View(
        size, targets, layout, inputs.style_loss, _color_target(inputs, size) if settings.cost_weights[3] else None
    )


def _content_targets(
    network: Network, inputs: Inputs, size: Size, maps: PhotoMaps, tile_px: int
) -> dict[str, ContentTarget]:
    """Return the targets of the content layers where something is kept, and those of SUBJECT_LAYERS on the subject."""
    settings = inputs.settings
    kept = dict(settings.content_layers)
    held = {layer: settings.subject_weight * weight for layer, weight in SUBJECT_LAYERS if settings.subject_weight}
    if size == maps.subject.shape and set(kept | held) <= set(maps.seen):
        photo: dict[str, tf.Tensor | np.ndarray]
        photo = {layer: tf.cast(maps.seen[layer], tf.float32) for layer in kept | held}
    else:
        photo = activations(network, resize(inputs.content, size), tuple(kept | held), tile_px)
    targets = {}
    for layer, wanted in photo.items():
        stride = stride_of(layer)
        grid = (size[0] // stride, size[1] // stride)
        weights = kept.get(layer, 0) * resize_map(maps.kept, grid)
        weights += held.get(layer, 0) * resize_map(maps.subject, grid) ** 2
        factor = balanced(1.0, _cost_of_nothing(wanted) if settings.balance else 1.0)
        targets[layer] = ContentTarget(wanted, placed(weights.reshape(-1, 1), size, tile_px), factor)
    return targets


def activations(
    network: Network, image: np.ndarray, layers: Sequence[str], tile_px: int
) -> dict[str, tf.Tensor | np.ndarray]:
    """Return the activations [positions, channels] of an image at the layers.

    They are float32 tensors, but for an image in tiles arrays of the network's type, to save memory.
    """
    network = network.up_to(layers)
    if fits(image.shape[:2], tile_px):
        found = network(tf.constant(image))
        return {name: tf.cast(found[name], tf.float32) for name in layers}
    found = maps_in_tiles(network, image, layers, tile_px)
    return {name: own.reshape(-1, own.shape[2]) for name, own in found.items()}


def _cost_of_nothing(wanted: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Return content_cost of a picture without any activation, without another array of the activations' size."""
    costs = []
    for start in range(0, wanted.shape[0], LOT):
        lot = tf.convert_to_tensor(wanted[start : start + LOT])
        costs.append(content_cost(tf.zeros_like(lot), lot) * (lot.shape[0] / wanted.shape[0]))
        drop_pages()
    return tf.add_n(costs)


def _match_target(
    inputs: Inputs, size: Size, regions: Sequence[np.ndarray], maps: PhotoMaps, match: Match | None
) -> MatchTarget:
    """Return the wanted hypercolumns. Where masks overlap, a place is matched in the region with the largest share."""
    if not match:
        return MatchTarget({}, tf.zeros([0, max(1, len(regions))]))
    places, grid = match.places, match.places.grid(size)
    shares = np.stack([places.means(region) for region in regions or [everywhere(size)]], axis=1)
    own = np.argmax(shares, axis=1)
    layers = {}
    for index, (layer, _) in enumerate(inputs.settings.match_layers):
        region_there = places.by_position(own, layer, size, beyond=-1)
        wanted, squares = tf.zeros([]), np.zeros(region_there.shape, np.float32)
        for region, (choices, nearest) in enumerate(zip(match.candidates, match.nearest, strict=True)):
            factors = np.where(region_there == region, choices.factors[index], 0).astype(np.float32)
            chosen = tf.gather(choices.directions[layer], places.by_position(nearest, layer, size))
            wanted += factors[..., None] * tf.cast(chosen, tf.float32)
            squares += factors**2
        layers[layer] = MatchLayer(wanted, tf.constant(squares))
    weights = resize_map(maps.kept, grid).reshape(-1, 1) / len(own) * shares * np.eye(shares.shape[1])[own]
    return MatchTarget(layers, tf.constant(weights, tf.float32))


def _color_target(inputs: Inputs, size: Size) -> ColorTarget:
    """Return the distances of the photo's colours when both it and the styles are as small as the copy."""
    small = small_size(size)
    styles = tuple(resize(style, small_size(style.shape[:2])) for style in inputs.styles)
    photo = toward_style_colors(resize(inputs.content, small), replace(inputs, styles=styles))
    rows, columns = (tf.constant(resize_matrix(old, new)) for old, new in zip(size, small, strict=True))
    return ColorTarget(color_distances(tf.reshape(tf.constant(photo, tf.float32), [-1, 3])), rows, columns)


def small_size(size: Size) -> Size:
    """Return the size of the copy whose colours are compared, at least 2 px a side."""
    height, width = size_with_long_side(size, COLOR_PX)
    return max(2, height), max(2, width)
