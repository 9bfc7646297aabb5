"""From arrays to an array: the scales, the first picture, the loop. Reports each step; no files, no printing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from nst.network.vgg19 import Network
from nst.pictures.color_transfer import match_colors, match_histogram, match_lightness, with_colors_of
from nst.pictures.resizing import resize
from nst.transfer.cost import make_measure
from nst.transfer.estimate import estimated_seconds
from nst.transfer.first_picture import first_picture, palette
from nst.transfer.inputs import Inputs
from nst.transfer.masks import style_shares
from nst.transfer.objective import make_evaluate
from nst.transfer.optimizers import minimize
from nst.transfer.pyramid import make_basis
from nst.transfer.scales import Scale
from nst.transfer.schedule import Schedule
from nst.transfer.state import Descent, OnStep, State, Step
from nst.transfer.targets import View, guided_regions, make_view
from nst.transfer.tiles import UNTILED_PX
from nst.transfer.upscaling import enlarge


def stylize(
    inputs: Inputs,
    network: Network,
    scales: Sequence[Scale],
    *,
    tile_px: int = UNTILED_PX,
    on_step: Sequence[OnStep] = (),
    on_estimate: Callable[[float], None] | None = None,
    resume: State | None = None,
    clock: Callable[[], float] | None = None,
) -> np.ndarray:
    """Return the content redrawn in the style, with the long side that the settings ask for.

    network      the network, with all content and style layers of the settings
    tile_px      the side of tiles, in which larger pictures are computed
    on_step      listeners, called in turn after each evaluation
    on_estimate  called before the first step with about how many seconds all steps will take
    resume       a state of an earlier run of the same inputs, to go on from
    clock        returns the seconds that the run has taken, which settings.max_time limits; by default, from now

    Raises RunError where numbers get out of hand and stay so.
    """
    settings, photo = inputs.settings, inputs.content
    inputs = with_preserved_colors(inputs)
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
            step = Step(number, scales[index].size, costs, elapsed())
            for listener in on_step:
                listener(
                    step,
                    lambda: finished(descent().image, photo, inputs),
                    lambda: State(index, number, descent()),
                )

        image = minimize(evaluate, start, make_basis(scale, colors, settings), pace, settings, report=report)
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
