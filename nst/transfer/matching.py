"""The match: for each place of the picture, the place of the style that is most like it.

Kolkin et al. 2022, "Neural Neighbor Style Transfer". Likeness is the cosine of the angle between hypercolumns, each
less the mean of its own picture, and projected onto the axes along which those of the style vary most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.errors import RunError
from nst.layers import LayerWeights
from nst.network.vgg19 import Network
from nst.pictures.resizing import resize
from nst.system.large_arrays import strips
from nst.transfer.first_picture import toward_style_colors
from nst.transfer.inputs import Inputs
from nst.transfer.known_image import KEPT_PX, MOSTLY, KnownImage, known_styles
from nst.transfer.masks import regions_of
from nst.transfer.places import Places, hypercolumns, places_of
from nst.transfer.scales import Scale
from nst.transfer.tiles import fits

RIM_PX = 16  # The width of the rim of a style that is not matched: there the network sees beyond the picture.
PICTURE_PART = 0.25  # The part of the picture in what is matched. The rest is the photo in the style's colours.
MOST_CANDIDATES = 4000  # The greatest number of places of the styles to choose from.
AXES = 128  # The number of axes onto which hypercolumns are projected.
SPARE_AXES, ROUNDS = 32, 3  # Of the search for the axes: more axes than are wanted, and rounds.
AT_ONCE = 1024  # The number of places that are matched at a time, to save memory.
LEAST_LENGTH = 1e-6  # The least length of a hypercolumn, as a divisor.


class Candidates(NamedTuple):
    """Places of the styles of a region, to choose from.

    directions  their hypercolumns, each of length 1 over all layers: by layer, [candidates, channels], in float16,
                since those of several scales are kept
    factors     by which the activations of a layer are multiplied in a hypercolumn
    axes        [channels of all layers, axes]
    projected   [candidates, axes], each of length 1
    styles      the style to which each belongs
    places      the place where each lies, in the style's grid as given, before any rotation
    turned      the number of quarter turns in which each is seen, and its place in the turned style, [candidates, 2]
    grids       the grid of each style
    """

    directions: dict[str, np.ndarray]
    factors: tuple[float, ...]
    axes: tf.Tensor
    projected: tf.Tensor
    styles: np.ndarray
    places: np.ndarray
    turned: np.ndarray
    grids: tuple[tuple[int, int], ...]


class Match(NamedTuple):
    """The candidates of each region, and for each region, the index of the candidate nearest to each place."""

    places: Places
    candidates: tuple[Candidates, ...]
    nearest: np.ndarray  # int32 [regions, places]


def make_match(
    network: Network,
    inputs: Inputs,
    scale: Scale,
    picture: np.ndarray | None,
    *,
    tile_px: int,
    nearest: np.ndarray | None = None,
) -> Match | None:
    """Return the match of a scale, or None where the settings give it no weight.

    picture  the picture with which the scale starts; None for the first scale, where only the photo is matched
    tile_px  the side of tiles, in which larger pictures are computed; see fits
    nearest  as an earlier part of the run found it

    Raises RunError where such a match cannot be of this scale.
    """
    if not inputs.settings.cost_weights[2]:
        return None
    layers = [layer for layer, _ in inputs.settings.match_layers]
    places = places_of(scale.size, layers)
    candidates = _of_regions(network, inputs, scale, places, tile_px)
    if nearest is None:
        query = toward_style_colors(resize(inputs.content, scale.size), inputs)
        if picture is not None:
            for rows in strips(scale.size):
                query[rows] = (1 - PICTURE_PART) * query[rows] + PICTURE_PART * picture[rows]
        columns = hypercolumns(network, query, layers, places, tile_px)
        nearest = np.stack([_nearest(columns, choices, places) for choices in candidates])
    _check(nearest, candidates, places, scale)
    return Match(places, candidates, nearest)


def _check(nearest: np.ndarray, candidates: Sequence[Candidates], places: Places, scale: Scale) -> None:
    """Raise RunError unless a match, of an earlier part of the run, may be one with these candidates."""
    most = np.array([[len(choices.places)] for choices in candidates])
    if (
        nearest.shape != (len(candidates), math.prod(places.grid(scale.size)))
        or not ((nearest >= 0) & (nearest < most)).all()
    ):
        raise RunError("the match to go on from is damaged or of another version; start the run anew")


def _of_regions(network: Network, inputs: Inputs, scale: Scale, places: Places, tile_px: int) -> tuple[Candidates, ...]:
    """Return the candidates of each region."""
    settings = inputs.settings
    images = known_styles(inputs, scale)
    groups = [tuple(zip(images, region.styles, strict=True)) for region in regions_of(inputs)]
    return tuple(
        (_kept_candidates if all(fits(image.shape, KEPT_PX) for image, _ in group) else _candidates)(
            network, settings.match_layers, settings.rotations, group, places, tile_px
        )
        for group in groups
    )


def _nearest(columns: dict[str, np.ndarray], choices: Candidates, places: Places) -> np.ndarray:
    """Return for each hypercolumn the index of the nearest candidate.

    Each layer is projected at its own positions, which saves memory. The lengths of hypercolumns do not matter here.
    """
    parts = []
    axes = tf.split(choices.axes, [values.shape[2] for values in columns.values()])
    for factor, (layer, values), own_axes in zip(choices.factors, columns.items(), axes, strict=True):
        centred = factor * (values - values.mean(axis=(0, 1)))
        parts.append(places.repeated(tf.tensordot(centred, own_axes, 1).numpy(), layer))
    queries = reduce(np.add, parts)
    lots = [queries[start : start + AT_ONCE] for start in range(0, len(queries), AT_ONCE)]
    found = [tf.argmax(tf.matmul(lot, choices.projected, transpose_b=True), axis=1) for lot in lots]
    return tf.concat(found, axis=0).numpy().astype(np.int32)


def _candidates(
    network: Network,
    layer_weights: LayerWeights,
    rotations: int,
    styles: tuple[tuple[KnownImage, float], ...],
    places: Places,
    tile_px: int,
) -> Candidates:
    """Return the candidates of some styles, as many of each as its weight says.

    rotations  the number of quarter turns in which each style is seen
    """
    layers = [layer for layer, _ in layer_weights]
    grids = tuple(places.grid(known.image.shape[:2]) for known, _ in styles)
    inner = [
        _inner_places(grid, places, rotations, known.shown) for grid, (known, _) in zip(grids, styles, strict=True)
    ]
    counts = _counts([len(there) for there in inner], [weight for _, weight in styles])
    random = np.random.default_rng(0)
    chosen = [there[np.sort(random.permutation(len(there))[:n])] for there, n in zip(inner, counts, strict=True)]
    parts = [
        _columns_at(network, known.image, where, layers, places, tile_px)
        for (known, _), where in zip(styles, chosen, strict=True)
        if len(where)
    ]
    widths = [part.shape[1] for part in parts[0]]
    rows = np.concatenate([np.concatenate(part, axis=1) for part in parts])
    del parts
    by_layer = np.split(rows, np.cumsum(widths)[:-1], axis=1)
    factors = tuple(
        float(np.sqrt(weight / max(float(np.mean(np.einsum("pc,pc->p", column, column))), 1e-12)))
        for column, (_, weight) in zip(by_layer, layer_weights, strict=True)
    )
    rows *= np.repeat(np.asarray(factors, np.float32), widths)
    directions = tf.cast(_unit(rows), tf.float16).numpy()
    rows -= rows.mean(axis=0)
    axes = principal_axes(tf.constant(rows))
    return Candidates(
        dict(zip(layers, np.split(directions, np.cumsum(widths)[:-1], axis=1), strict=True)),
        factors,
        axes,
        _unit(_unit(rows) @ axes),
        np.repeat(np.arange(len(styles)), counts),
        np.concatenate([where[:, 2] for where in chosen]),
        np.concatenate([where[:, :2] for where in chosen]),
        grids,
    )


_kept_candidates = lru_cache(maxsize=6)(_candidates)  # Kept for the next picture.


def _inner_places(grid: tuple[int, int], places: Places, rotations: int, shown: np.ndarray | None = None) -> np.ndarray:
    """Return the places of a style off its rim in all turns, as [n, 3].

    Each is a turn, the place in the turned style, and the place before the turn.

    shown  where the style counts, [height, width]; the places that are mostly there are returned, or the most so
    """
    rim = min(RIM_PX // places.side_px, (min(grid) - 1) // 4)
    inner = np.zeros(grid, bool)
    inner[rim : grid[0] - rim, rim : grid[1] - rim] = True
    if shown is not None:
        amount = places.means(shown[..., None]).reshape(grid)
        there = inner & (amount > MOSTLY)
        inner = there if there.any() else amount == amount.max()
    numbers = np.arange(inner.size).reshape(grid)
    turns = []
    for turn in range(rotations):
        own = np.flatnonzero(np.rot90(inner, turn))
        turns.append(np.stack([np.full(len(own), turn), own, np.rot90(numbers, turn).ravel()[own]], axis=1))
    return np.concatenate(turns)


def _columns_at(
    network: Network, image: np.ndarray, where: np.ndarray, layers: Sequence[str], places: Places, tile_px: int
) -> list[np.ndarray]:
    """Return the hypercolumns of a style at some of its _inner_places, by layer, [chosen, channels]."""
    rows, columns = places.grid(image.shape[:2])
    whole = image[: rows * places.side_px, : columns * places.side_px]  # A turn must not move the places.
    turns = []
    for turn in np.unique(where[:, 0]):
        own = where[where[:, 0] == turn, 1]
        found = hypercolumns(network, np.ascontiguousarray(np.rot90(whole, turn)), layers, places, tile_px)
        turns.append([places.chosen(found[layer], layer, own) for layer in layers])
    return [np.concatenate(parts) for parts in zip(*turns, strict=True)]


def _counts(there: Sequence[int], weights: Sequence[float]) -> list[int]:
    """Return the number of candidates of each style: in proportion to the weights, and MOST_CANDIDATES together."""
    together = min(MOST_CANDIDATES, *(count / weight for count, weight in zip(there, weights, strict=True) if weight))
    counts = [min(count, round(together * weight)) for count, weight in zip(there, weights, strict=True)]
    return [max(1, count) if weight else 0 for count, weight in zip(counts, weights, strict=True)]


def principal_axes(rows: tf.Tensor) -> tf.Tensor:
    """Return the AXES directions along which rows [n, channels] vary most, or nearly so: [channels, AXES].

    By subspace iteration (Halko et al. 2011, algorithm 4.4), which is products and quicker than an eigenvalue
    decomposition.
    """
    channels = rows.shape[1]
    random = np.random.default_rng(0).normal(size=(channels, min(channels, AXES + SPARE_AXES)))
    basis = tf.constant(random, tf.float32)
    for _ in range(ROUNDS):
        basis = tf.linalg.qr(tf.matmul(rows, rows @ basis, transpose_a=True))[0]
    projected = rows @ basis
    _, turn = tf.linalg.eigh(tf.matmul(projected, projected, transpose_a=True))
    return (basis @ turn)[:, -AXES:]


def matched_map(choices: Candidates, nearest: np.ndarray, style: int, weights: np.ndarray) -> np.ndarray:
    """Return a map over the grid of a region's style: how much of the picture is matched to each of its places.

    nearest  the index of the candidate at each place of the picture
    style    the number of the style
    weights  of the places of the picture, [places]
    """
    own, (rows, columns) = choices.styles[nearest] == style, choices.grids[style]
    return np.bincount(choices.places[nearest[own]], weights[own], rows * columns).reshape(rows, columns)


def _unit(rows: tf.Tensor) -> tf.Tensor:
    return rows / tf.maximum(tf.norm(rows, axis=1, keepdims=True), LEAST_LENGTH)
