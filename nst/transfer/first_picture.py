"""The picture with which a run starts: the photo, a style, noise, or a picture of the user's own."""

from collections.abc import Sequence

import numpy as np

from nst.network.vgg19 import MEAN_RGB
from nst.pictures.color_transfer import match_colors
from nst.pictures.resizing import Size, resize
from nst.system.large_arrays import empty, strips
from nst.transfer.inputs import Inputs
from nst.transfer.known_image import MOSTLY, shown_at
from nst.transfer.masks import mixed, region_shares, regions_of, style_shares, total

PALETTE_COLORS = 100_000  # The number of colours in the palette of a blend.
NOISE_LEVELS = 20  # The greatest distance of noise from the mean colour, in levels of 255, as in the course.


def palette(inputs: Inputs, weights: Sequence[float]) -> np.ndarray:
    """Return colours of the styles, [n, 1, 3]: as many of each style as its weight says. Of a single style, return all.

    The colours of a single style come as the style's image, unless only a part of it counts.
    """
    weighted = [(_colors(inputs, index), weight) for index, weight in enumerate(weights) if weight]
    if len(weighted) == 1:
        return weighted[0][0]
    parts = []
    for style, weight in weighted:
        colors = style.reshape(-1, 1, 3)
        parts.append(colors[np.linspace(0, len(colors) - 1, round(weight * PALETTE_COLORS)).astype(int)])
    return np.concatenate(parts)


def _colors(inputs: Inputs, index: int) -> np.ndarray:
    """Return a style, or its pixels that count, [n, 1, 3]."""
    style = inputs.styles[index]
    shown = shown_at(inputs, index, style.shape[:2])
    return style if shown is None else style[shown >= min(MOSTLY, shown.max())][:, None]


def first_picture(inputs: Inputs, size: Size) -> np.ndarray:
    """Return the first picture at a size, with the colours and the fraction of noise that the settings ask for."""
    settings = inputs.settings
    picture = resize(_source(inputs, size), size)
    if settings.match_colors:
        picture = toward_style_colors(picture, inputs)
    noise_fraction = 1.0 if settings.init == "noise" else settings.init_noise
    if not noise_fraction:
        return picture.astype(np.float32, copy=False)
    random, noisy = np.random.default_rng(settings.seed), empty(picture.shape)
    for rows in strips(size):
        noise = (np.array(MEAN_RGB) + random.uniform(-NOISE_LEVELS, NOISE_LEVELS, picture[rows].shape)) / 255
        noisy[rows] = (1 - noise_fraction) * picture[rows] + noise_fraction * noise
    return noisy


def _source(inputs: Inputs, size: Size) -> np.ndarray:
    """Return the image that settings.init names, of any size."""
    if inputs.start is not None:
        return inputs.start
    if inputs.settings.init == "style":
        return mixed([resize(style, size) for style in inputs.styles], style_shares(inputs, size))
    if inputs.settings.init in ("content", "noise"):
        return inputs.content
    raise ValueError("settings.init is a path, so `start` must hold its picture")


def toward_style_colors(picture: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return a picture in the styles' colours, or below a strength of 0.5, between its own colours and theirs."""
    colored, departure = in_style_colors(picture, inputs), inputs.settings.departure
    for rows in strips(picture.shape):
        colored[rows] = picture[rows] + departure * (colored[rows] - picture[rows])
    return colored


def in_style_colors(picture: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return a picture in the colours of all styles, or with masks, in the colours of each region's styles there."""
    regions, shares = regions_of(inputs), region_shares(inputs, picture.shape[:2])
    like = None if inputs.scene is None else resize(inputs.scene, picture.shape[:2])
    if not (inputs.style_masks and shares):
        return match_colors(picture, palette(inputs, regions[0].styles), like)
    matched = [match_colors(picture, palette(inputs, region.styles), like) for region in regions]
    return mixed([*matched, picture], [*shares, 1 - total(shares)])
