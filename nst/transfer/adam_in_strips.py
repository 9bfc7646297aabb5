"""Adam for pictures in tiles: each step is taken in place, strip by strip, so that there is no second picture."""

from __future__ import annotations

import math

import numpy as np

from nst.settings import Settings
from nst.system.large_arrays import empty, mean_of, strips, writable, zeros
from nst.transfer.descending import Report, check_moments, finite, learning_rate, numbers_of, out_of_hand
from nst.transfer.objective import Evaluate
from nst.transfer.schedule import FractionDone
from nst.transfer.state import Descent
from nst.transfer.strip_bands import Moments, StripPyramid, step_in_strips


def adam_in_strips(
    evaluate: Evaluate,
    start: Descent,
    pyramid: StripPyramid,
    fraction_done: FractionDone,
    settings: Settings,
    *,
    report: Report,
) -> np.ndarray:
    """Take Adam's steps as optimizers.adam does, each in place. The arrays of `start` are used up.

    A step is taken only where the costs and the gradient are finite. There is no good picture to go back to: raises
    RunError where they are not.
    """
    moments = _moments(start, pyramid)
    picture, mean = writable(start.image), None if start.mean is None else writable(start.mean)
    averaged, totals = start.averaged, list(start.totals)
    count = float(start.moments[0]) if start.moments else 0.0

    def descent() -> Descent:
        kept = (np.float32(count), *moments.first, *moments.second)
        return Descent(picture, tuple(totals), kept, start.rate, mean, averaged)

    while (done := fraction_done(len(totals), totals)) < 1:
        costs, gradient = evaluate(picture)
        numbers, slopes = numbers_of(costs), np.asarray(gradient)
        if not finite(numbers) or not math.isfinite(mean_of(slopes)):
            raise out_of_hand(numbers, retried=False)
        averages = done >= 1 - settings.average
        room = empty(picture.shape) if averages and mean is None else mean  # Before anything has changed.
        size, betas = start.rate * learning_rate(settings, done) / 255, (settings.beta1, settings.beta2)
        step_in_strips(picture, moments, slopes, pyramid, rate=size, count=count + 1, betas=betas)
        if averages and room is not None:
            mean, averaged = room, averaged + 1
            _go_nearer(mean, picture, averaged)
        del gradient, slopes  # There is none while the next one is made.
        count += 1
        totals.append(numbers["total"])
        report(numbers, descent)
    return picture if mean is None else mean


def _moments(start: Descent, pyramid: StripPyramid) -> Moments:
    """Return the moments with which a descent goes on. Raises RunError."""
    bands, shapes = len(pyramid.sizes), [(*size, 3) for size in pyramid.sizes]
    if not start.moments:
        return Moments(*([zeros(shape) for shape in shapes] for _ in range(2)))
    check_moments(start, shapes)
    both = list(map(writable, start.moments[1:]))
    return Moments(both[:bands], both[bands:])


def _go_nearer(mean: np.ndarray, picture: np.ndarray, count: int) -> None:
    """Make the mean of all pictures but the newest the mean of all, of which there are `count`."""
    for rows in strips(mean.shape):
        mean[rows] = picture[rows] if count == 1 else mean[rows] + (picture[rows] - mean[rows]) / np.float32(count)
