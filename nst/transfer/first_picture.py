"""TODO."""

import numpy as np

from nst.network.vgg19 import MEAN_RGB
from nst.pictures.color_transfer import match_colors
from nst.pictures.resizing import Size, resize
from nst.transfer.inputs import Inputs
from nst.transfer.masks import mixed, style_shares, total

PALETTE_COLORS = 100_000
NOISE_LEVELS = 20  # of 255, either way of the mean colour, as in the course


def palette(inputs: Inputs) -> np.ndarray:
    """Return colours of the styles, as many of each as its weight says: [n, 1, 3]; of one style, all."""
    weighted = [(style, weight) for style, weight in zip(inputs.styles, inputs.weights, strict=True) if weight]
    if len(weighted) == 1:
        return weighted[0][0]
    parts = []
    for style, weight in weighted:
        colors = style.reshape(-1, 1, 3)
        parts.append(colors[np.linspace(0, len(colors) - 1, round(weight * PALETTE_COLORS)).astype(int)])
    return np.concatenate(parts)


def first_picture(inputs: Inputs, size: Size) -> np.ndarray:
    """Return the picture to start from, with the colours and the share of noise that the settings ask for."""
    settings = inputs.settings
    if inputs.start is not None:
        source = inputs.start
    elif settings.init == "style":
        source = mixed([resize(style, size) for style in inputs.styles], style_shares(inputs, size))
    elif settings.init in ("content", "noise"):
        source = inputs.content
    else:
        raise ValueError("settings.init is a path, so `start` must hold its picture")
    picture = resize(source, size)
    if settings.match_colors:
        picture = picture + settings.departure * (in_their_colors(picture, inputs) - picture)
    noise_share = 1.0 if settings.init == "noise" else settings.init_noise
    if not noise_share:
        return picture.astype(np.float32, copy=False)
    levels = np.random.default_rng(settings.seed).uniform(-NOISE_LEVELS, NOISE_LEVELS, picture.shape)
    noise = (np.array(MEAN_RGB) + levels) / 255
    return ((1 - noise_share) * picture + noise_share * noise).astype(np.float32)


def in_their_colors(picture: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return a picture in the colours of the styles: all of them, or with masks, of each where it belongs."""
    if not inputs.style_masks:
        return match_colors(picture, palette(inputs))
    shares = style_shares(inputs, picture.shape[:2])
    rest = 1 - total(shares)
    return mixed([*(match_colors(picture, style) for style in inputs.styles), picture], [*shares, rest])
