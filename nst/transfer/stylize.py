"""The loop over the scales of a run: arrays in, an array out. Listeners are told each step; no files, no printing."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import tensorflow as tf

from nst.network.tensorflow_setup import graphs_as_written
from nst.network.vgg19 import Network
from nst.settings import AUTO_TILE
from nst.system.large_arrays import copied
from nst.transfer.estimate import estimated_seconds, probe_size, seconds_by_step
from nst.transfer.first_picture import first_picture, palette
from nst.transfer.inputs import Inputs
from nst.transfer.masks import overall_weights
from nst.transfer.matching import Match, make_match
from nst.transfer.objective import make_evaluate
from nst.transfer.optimizers import minimize, steps_late
from nst.transfer.photo_maps import make_photo_maps
from nst.transfer.preserved_photo import finished, with_preserved_colors
from nst.transfer.pyramid import make_pyramid, make_strip_pyramid
from nst.transfer.scales import Scale, painted_scale
from nst.transfer.schedule import Schedule
from nst.transfer.state import Descent, OnStep, State, Step
from nst.transfer.style_detail import add_style_detail
from nst.transfer.tiles import UNTILED_PX, fits, smaller_side
from nst.transfer.upscaling import enlarge
from nst.transfer.view import make_view


@graphs_as_written()
def stylize(
    inputs: Inputs,
    network: Network,
    scales: Sequence[Scale],
    *,
    tile_px: int = UNTILED_PX,
    on_step: Sequence[OnStep] = (),
    on_estimate: Callable[[float], None] | None = None,
    on_tiles: Callable[[int], None] = lambda side_px: None,
    resume: State | None = None,
    clock: Callable[[], float] | None = None,
) -> np.ndarray:
    """Return the photo redrawn in the style, at the size of the last scale.

    network      the network, with all content and style layers of the settings
    scales       the scales of the run, as plan_scales gives them
    tile_px      the side of tiles, in which larger pictures are computed
    on_step      listeners, called in turn after each evaluation
    on_estimate  called before the first step with about how many seconds all steps will take
    on_tiles     called with the side of smaller tiles, in which the run goes on where the memory was too short
    resume       a state of an earlier run of the same inputs, to go on from
    clock        returns the seconds that the run has taken, which settings.max_time limits; by default, from now

    Raises RunError where numbers get out of hand and stay so, and TensorFlow's ResourceExhaustedError where the memory
    is too short for the smallest tiles, or for those that the settings ask for.
    """
    began = time.monotonic()
    elapsed = clock or (lambda: time.monotonic() - began)
    finish, inputs = partial(finished, inputs=inputs), with_preserved_colors(inputs)
    latest: Callable[[], State | None] = lambda: resume  # noqa: E731  Returns the state after the last step.

    def follow(step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        nonlocal latest
        latest = state
        for listener in on_step:
            listener(step, lambda: finish(picture()), state)

    while True:
        try:
            return finish(_stylize(inputs, network, scales, tile_px, follow, on_estimate, latest(), elapsed))
        except (tf.errors.ResourceExhaustedError, MemoryError):
            tile_px, on_estimate = smaller_side(painted_scale(scales).size, tile_px), None
            if inputs.settings.tile != AUTO_TILE or not tile_px:
                raise
        on_tiles(tile_px)


def _of_photo(inputs: Inputs) -> Inputs:
    """Return inputs whose first picture is of the photo alone: no step paints over its fine detail."""
    return replace(inputs, start=None, settings=replace(inputs.settings, init="content", init_noise=0.0))


def _stylize(
    inputs: Inputs,
    network: Network,
    scales: Sequence[Scale],
    tile_px: int,
    on_step: OnStep,
    on_estimate: Callable[[float], None] | None,
    resume: State | None,
    elapsed: Callable[[], float],
) -> np.ndarray:
    """Return the photo redrawn, before it is finished; see stylize. The inputs are with_preserved_colors."""
    settings = inputs.settings
    schedule, colors = Schedule(scales, settings, elapsed), palette(inputs, overall_weights(inputs))
    numbers = itertools.count(resume.steps + 1 if resume else 1)
    maps = make_photo_maps(network, inputs.content, settings, max(painted_scale(scales).size))
    start = resume.descent if resume else Descent(copied(first_picture(inputs, scales[0].size)))
    image, begun = start.image, resume.scale if resume else 0
    for index, scale in list(enumerate(scales))[begun:]:
        fraction_done = schedule.fraction_done(index)
        if index > begun:
            first = first_picture(inputs if scale.steps else _of_photo(inputs), scale.size)
            start = Descent(enlarge(image, first, scales[index - 1].size, scale.size, settings))
        if not scale.steps:
            return start.image
        picture = start.image if index else None
        nearest = resume.nearest if resume and index == begun else None
        match = make_match(network, inputs, scale, picture, tile_px=tile_px, nearest=nearest)
        view = make_view(network, inputs, scale, maps, match, tile_px=tile_px)
        if match and index > begun and inputs.scene is None:  # The frames after it would take it away again.
            add_style_detail(start.image, match, inputs, scale)

        def report(
            costs: dict[str, float], descent: Callable[[], Descent], index: int = index, match: Match | None = match
        ) -> None:
            number = next(numbers)
            step = Step(number, scales[index].size, costs, elapsed())
            nearest = match.nearest if match else None
            on_step(step, lambda: descent().result, lambda: State(index, number, descent(), nearest))

        evaluate = make_evaluate(network, view, settings, tile_px=tile_px)
        if on_estimate and not resume and not index:
            if scale.size == probe_size(scales):
                on_estimate(seconds_by_step(evaluate, image, scales, tile_px, settings))
            else:
                on_estimate(estimated_seconds(network, inputs, scales, tile_px))
        pyramid = (make_pyramid if fits(scale.size, tile_px) else make_strip_pyramid)(scale, colors, settings)
        late = steps_late(settings)
        image = minimize(evaluate, start, pyramid, fraction_done, settings, report=report, late=late)
    return image
