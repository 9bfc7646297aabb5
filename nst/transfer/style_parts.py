"""The parts of a picture that are compared with the styles each on its own, and the targets of each.

For regions see masks. With `compose` a region has two parts: the plain part, which the style fills, and the rest. Each
position belongs to both by its share. The target of a part are the statistics of the styles, in which the places count
to which the part is matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy.ndimage import gaussian_filter

from nst.network.vgg19 import Network
from nst.pictures.resizing import Size, resize
from nst.system.large_arrays import empty, mean_of, strips
from nst.transfer.inputs import Inputs
from nst.transfer.known_image import KnownImage, known_styles
from nst.transfer.masks import position_weights, regions_of
from nst.transfer.matching import Match, matched_map
from nst.transfer.photo_maps import PhotoMaps, resize_map
from nst.transfer.scales import Scale
from nst.transfer.statistics import Statistics, statistics, weighted_statistics, whole
from nst.transfer.targets import Part, StyleTarget, balanced, placed

COMPOSE_PX = 300  # The long side up to which the layers for the style's large forms are compared.
BLUR = 0.04  # The standard deviation of the blur of matched places, as a fraction of the style's long side.
MOST_MATCHED = 20.0  # The greatest weight of a style's position, as a multiple of the mean.


class Area(NamedTuple):
    """Where a part is.

    styles  the weight of each style in the region
    layers  the style layers that are compared there, with their weights
    share   the part's share of each pixel, [height, width, 1]
    weight  of the part among all parts; they add up to 1
    """

    region: int
    styles: Sequence[float]
    layers: dict[str, float]
    share: np.ndarray
    weight: float


def everywhere(size: Size) -> np.ndarray:
    """Return the share of a region that is the whole picture. It takes no memory."""
    return np.broadcast_to(np.float32(1), (*size, 1))


def make_parts(
    network: Network,
    inputs: Inputs,
    scale: Scale,
    shares: Sequence[np.ndarray],
    maps: PhotoMaps,
    match: Match | None,
    tile_px: int,
) -> tuple[Part, ...]:
    """Return the parts of all regions, in the order of the regions. Without a match, all of a style counts alike.

    shares  of the regions; see region_shares
    """
    settings, loss = inputs.settings, inputs.style_loss
    areas = make_areas(inputs, scale.size, shares, maps)
    names = tuple(areas[0].layers)  # The first part has the most layers.
    styles = known_styles(inputs, scale)
    if match:
        plain, *found = _matched_statistics(network, inputs, styles, areas, match, tile_px)
    else:
        plain = [statistics(network, style, names, loss, tile_px=tile_px) for style in styles]
        found = [plain] * len(areas)
    uniform = len(areas) == 1 and not shares
    parts = []
    for area, ours in zip(areas, found, strict=True):
        targets = {}
        for name, weight in area.layers.items():
            all_of_it = loss.target(_blend(plain, area, name))
            nothing = loss.cost(tf.zeros_like(all_of_it), all_of_it) if settings.balance else 1.0
            wanted = loss.target(_blend(ours, area, name))
            targets[name] = StyleTarget(wanted, balanced(area.weight * weight, nothing))
        weights = {} if uniform else {name: position_weights(area.share, name) for name in area.layers}
        parts.append(Part(targets, {name: placed(part, scale.size, tile_px) for name, part in weights.items()}))
    return tuple(parts)


def make_areas(inputs: Inputs, size: Size, shares: Sequence[np.ndarray], maps: PhotoMaps) -> list[Area]:
    """Return where the parts of all regions are: of each region, the plain part and the rest, or all of it."""
    settings = inputs.settings
    layers = [dict(settings.style_layers)]
    own = [everywhere(size)]
    if settings.compose:
        plain = resize_map(maps.plain, size)[..., None]
        own, layers = [plain, _rest(plain)], layers * 2
        if max(size) <= COMPOSE_PX:
            more = {name: layers[0].get(name, 0) + weight for name, weight in settings.compose_layers}
            layers = [layers[0] | more, layers[1]]
    areas = []
    for index, region in enumerate(regions_of(inputs)):
        for part, some in zip(own, layers, strict=True):
            share = _product(shares[index], part) if shares else part
            areas.append(Area(index, region.styles, some, share, region.weight * mean_of(share)))
    together = max(sum(area.weight for area in areas), 1e-6)
    return [area._replace(weight=area.weight / together) for area in areas]


def _product(share: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return the product of two shares of the pixels."""
    product = empty(share.shape)
    for rows in strips(share.shape):
        product[rows] = share[rows] * part[rows]
    return product


def _rest(share: np.ndarray) -> np.ndarray:
    """Return what a share leaves of the pixels."""
    rest = empty(share.shape)
    for rows in strips(share.shape):
        rest[rows] = 1 - share[rows]
    return rest


def _matched_statistics(
    network: Network,
    inputs: Inputs,
    styles: Sequence[KnownImage],
    areas: Sequence[Area],
    match: Match,
    tile_px: int,
) -> list[list[Statistics]]:
    """Return the styles' statistics, and for each area these with the places weighted by how they are matched."""
    names, loss = tuple(areas[0].layers), inputs.style_loss
    found: list[list[Statistics]] = [[{} for _ in styles] for _ in range(1 + len(areas))]
    for index, style in enumerate(styles):
        own = [number for number, area in enumerate(areas, start=1) if area.styles[index]]
        weightings = [whole(style, names)]
        for area in (areas[number - 1] for number in own):
            choices, nearest = match.candidates[area.region], match.nearest[area.region]
            matched = matched_map(choices, nearest, index, match.places.means(area.share))
            share = _style_share(matched, style)
            weightings.append({name: position_weights(share, name) for name in names})
        keep = inputs.scene is not None
        of_style = weighted_statistics(network, style, names, loss, weightings, tile_px=tile_px, keep=keep)
        for number, some in zip([0, *own], of_style, strict=True):
            found[number][index] = some
    return found


def _style_share(matched: np.ndarray, style: KnownImage) -> np.ndarray:
    """Return the share of each pixel of a style, [height, width, 1], from how much is matched to each of its places."""
    blurred = gaussian_filter(matched, BLUR * max(matched.shape))
    share = everywhere(style.shape)
    if blurred.mean() > 0:
        capped = (np.minimum(blurred / blurred.mean(), MOST_MATCHED) / MOST_MATCHED).astype(np.float32)
        share = resize(capped[..., None], style.shape, Image.Resampling.BILINEAR)
    return share if style.shown is None else _product(share, style.shown[..., None])


def _blend(statistics_of: Sequence[Statistics], area: Area, layer: str) -> tf.Tensor:
    """Return the statistics of a layer of the styles in a region, each by its weight."""
    return tf.add_n([w * some[layer] for w, some in zip(area.styles, statistics_of, strict=True) if w])
