"""From arrays to an array: the scales, the first picture, the loop. Reports each step; no files, no printing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nst.basis import make_basis
from nst.color import match_colors, match_histogram, match_lightness, with_colors_of
from nst.detail import enlarge
from nst.image_io import Size, resize
from nst.masks import Inputs, mixed, style_shares, total
from nst.objective import View, guided_regions, make_evaluate, make_measure, make_view
from nst.optimizers import minimize
from nst.scales import plan_scales
from nst.vgg19 import MEAN_RGB, Features

PALETTE_COLORS = 100_000
NOISE_LEVELS = 20  # of 255, either way of the mean colour, as in the course


@dataclass(frozen=True)
class Step:
    """One evaluation of the cost: where the run is, and the costs by name."""

    number: int  # from 1, over all scales
    size: Size
    costs: dict[str, float]


OnStep = Callable[[Step, Callable[[], np.ndarray]], None]  # the step, and what returns the picture after it


def stylize(inputs: Inputs, features: Features, *, on_step: OnStep = lambda step, picture: None) -> np.ndarray:
    """Return the content redrawn in the style, with the long side that the settings ask for.

    features  the network, with all content and style layers of the settings
    on_step   called after each evaluation
    """
    settings, photo = inputs.settings, inputs.content
    inputs = with_preserved_colors(inputs)
    scales = plan_scales(photo.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    image = first_picture(inputs, scales[0].size)
    measure = make_measure(features, settings, regions=guided_regions(inputs))
    colors = palette(inputs)
    views: list[View] = []
    done = 0
    for coarser, scale in zip([None, *scales], scales, strict=False):
        if coarser:
            shares, first = style_shares(inputs, scale.size), first_picture(inputs, scale.size)
            image = enlarge(image, first, inputs.styles, shares, coarser, scale, settings)
        views.insert(0, make_view(features, inputs, scale))
        evaluate = make_evaluate(measure, views if settings.copies else views[:1], settings)

        def report(costs: dict[str, float], picture: Callable[[], np.ndarray], size: Size = scale.size) -> None:
            nonlocal done
            done += 1
            on_step(Step(done, size, costs), lambda: finished(picture(), photo, inputs))

        image = minimize(evaluate, image, make_basis(scale, colors, settings), scale.steps, settings, report=report)
    return finished(image, photo, inputs)


def with_preserved_colors(inputs: Inputs) -> Inputs:
    """Return the inputs with the styles in the photo's colours, or all in grey, where the settings ask for it."""
    kind, photo = inputs.settings.preserve_color, inputs.content
    if kind == "luminance":
        styles = tuple(match_lightness(style, photo) for style in inputs.styles)
        return replace(inputs, content=match_lightness(photo, photo), styles=styles)
    match = {"statistics": match_colors, "histogram": match_histogram}.get(kind)
    return replace(inputs, styles=tuple(match(style, photo) for style in inputs.styles)) if match else inputs


def finished(image: np.ndarray, photo: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return the picture with the photo's colours, and the photo itself where it is not to change."""
    settings, size = inputs.settings, image.shape[:2]
    if settings.preserve_color == "luminance":
        image = with_colors_of(image, resize(photo, size))
    if inputs.content_mask is not None:
        share = resize(inputs.content_mask[..., None], size)
        image = share * image + (1 - share) * resize(photo, size)
    return image


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
    levels = np.random.default_rng(settings.seed).uniform(-NOISE_LEVELS, NOISE_LEVELS, picture.shape)
    noise = (np.array(MEAN_RGB) + levels) / 255
    noise_share = 1.0 if settings.init == "noise" else settings.init_noise
    return ((1 - noise_share) * picture + noise_share * noise).astype(np.float32)


def in_their_colors(picture: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return a picture in the colours of the styles: all of them, or with masks, of each where it belongs."""
    if not inputs.style_masks:
        return match_colors(picture, palette(inputs))
    shares = style_shares(inputs, picture.shape[:2])
    rest = 1 - total(shares)
    return mixed([*(match_colors(picture, style) for style in inputs.styles), picture], [*shares, rest])
