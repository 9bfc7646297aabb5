"""From arrays to an array: the scales, the first picture, the loop. Reports each step; no files, no printing."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from nst.layers import SMALLEST_SIDE_PX
from nst.network.vgg19 import MEAN_RGB, Network
from nst.pictures.color_transfer import match_colors, match_histogram, match_lightness, with_colors_of
from nst.pictures.picture_files import Size, resize, size_with_long_side
from nst.transfer.cost import make_measure
from nst.transfer.masks import Inputs, mixed, style_shares, total
from nst.transfer.objective import View, guided_regions, make_evaluate, make_view
from nst.transfer.optimizers import minimize
from nst.transfer.pyramid import make_basis
from nst.transfer.scales import Scale, plan_scales
from nst.transfer.schedule import Schedule
from nst.transfer.state import Descent, State, Step
from nst.transfer.tiles import UNTILED_PX, fits
from nst.transfer.upscaling import enlarge

PALETTE_COLORS = 100_000
PROBE_PX = 128  # the long side of a picture whose step is measured
TIME_IN_TILES = 1.6  # of the time in one piece
NOISE_LEVELS = 20  # of 255, either way of the mean colour, as in the course


# The step, what returns the picture after it, and what returns the state to go on from.
OnStep = Callable[[Step, Callable[[], np.ndarray], Callable[[], State]], None]


def stylize(
    inputs: Inputs,
    network: Network,
    *,
    tile_px: int = UNTILED_PX,
    on_step: OnStep = lambda step, picture, state: None,
    on_estimate: Callable[[float], None] | None = None,
    resume: State | None = None,
    clock: Callable[[], float] | None = None,
) -> np.ndarray:
    """Return the content redrawn in the style, with the long side that the settings ask for.

    network      the network, with all content and style layers of the settings
    tile_px      the side of tiles, in which larger pictures are computed
    on_step      called after each evaluation
    on_estimate  called before the first step with about how many seconds all steps will take
    resume       a state of an earlier run of the same inputs, to go on from
    clock        returns the seconds that the run has taken, which settings.max_time limits; by default, from now

    Raises RunError where numbers get out of hand and stay so.
    """
    settings, photo = inputs.settings, inputs.content
    inputs = with_preserved_colors(inputs)
    scales = plan_scales(photo.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    measure = make_measure(network, settings, regions=guided_regions(inputs), tile_px=tile_px)
    colors = palette(inputs)
    if on_estimate and not resume:
        on_estimate(estimated_seconds(network, inputs, scales, tile_px))
    image = first_picture(inputs, scales[0].size)
    done = resume.steps if resume else 0
    began = time.monotonic()
    elapsed = clock or (lambda: time.monotonic() - began)
    schedule = Schedule(scales, settings, elapsed)
    views: list[View] = []
    for index, scale in enumerate(scales):
        views.insert(0, make_view(network, inputs, scale, tile_px=tile_px))
        if resume and index < resume.scale:
            continue
        pace = schedule.pace(index)
        if resume and index == resume.scale:
            start = resume.descent
        elif index == 0:
            start = Descent(image)
        else:
            shares, first = style_shares(inputs, scale.size), first_picture(inputs, scale.size)
            start = Descent(enlarge(image, first, inputs.styles, shares, scales[index - 1], scale, settings))
        evaluate = make_evaluate(measure, views if settings.copies else views[:1], settings)

        def report(costs: dict[str, float], descent: Callable[[], Descent], index: int = index) -> None:
            nonlocal done
            done += 1
            number = done
            on_step(
                Step(number, scales[index].size, costs, elapsed()),
                lambda: finished(descent().image, photo, inputs),
                lambda: State(index, number, descent()),
            )

        image = minimize(evaluate, start, make_basis(scale, colors, settings), pace, settings, report=report)
    return finished(image, photo, inputs)


def estimated_seconds(network: Network, inputs: Inputs, scales: Sequence[Scale], tile_px: int) -> float:
    """Return about how long all steps will take, from one that is measured on a small picture."""
    size, settings = scales[0].size, inputs.settings
    if max(size) > PROBE_PX:
        size = size_with_long_side(size, PROBE_PX)
    small = (max(SMALLEST_SIDE_PX, size[0]), max(SMALLEST_SIDE_PX, size[1]))
    view = make_view(network, inputs, Scale(small, (small,) * len(inputs.styles), 1))
    evaluate = make_evaluate(make_measure(network, settings, regions=guided_regions(inputs)), [view], settings)
    picture = tf.constant(resize(inputs.content, small))
    evaluate(picture)  # makes the graph
    began = time.monotonic()
    evaluate(picture)[1].numpy()
    seconds_per_pixel = (time.monotonic() - began) / math.prod(small)
    work = sum(scale.work * (1 if fits(scale.size, tile_px) else TIME_IN_TILES) for scale in scales)
    expected = seconds_per_pixel * work
    return min(expected, settings.max_time or expected)


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
