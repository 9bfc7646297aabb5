"""Adam and L-BFGS-B (SciPy's): two ways to lower the cost that `evaluate` gives. Pixels stay within [0, 1]."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst.errors import RunError
from nst.network.device import device
from nst.settings import Settings
from nst.transfer.adam_in_strips import adam_in_strips
from nst.transfer.descending import TRIES, Report, check_moments, finite, learning_rate, numbers_of, out_of_hand
from nst.transfer.objective import Evaluate
from nst.transfer.pyramid import BandMap, Pyramid, combine, split
from nst.transfer.schedule import FractionDone
from nst.transfer.state import Descent
from nst.transfer.strip_bands import LEAST_DEVIATION, StripPyramid

CORRECTIONS = 10  # The number of pairs of steps and gradients that L-BFGS remembers.
MOST_STEPS = 1_000_000_000  # A number of steps that L-BFGS never reaches, as the scale ends before.


def minimize(
    evaluate: Evaluate,
    start: Descent,
    pyramid: Pyramid | StripPyramid,
    fraction_done: FractionDone,
    settings: Settings,
    *,
    report: Report,
    late: int = 0,
) -> np.ndarray:
    """Return the picture after all steps of a scale. Each evaluation is reported.

    pyramid        the bands in which Adam takes its steps; L-BFGS does not use it. In strips, for a picture in tiles,
                   Adam uses up the arrays of `start`
    late           see adam
    fraction_done  the fraction of the scale's steps done; at 1 the scale ends

    Where a cost or a gradient is no finite number, the optimiser goes back to the last good picture, with half the step
    size. Raises RunError where that does not help.
    """
    if settings.optimizer == "lbfgs":
        return lbfgs(evaluate, start, fraction_done, report=report)
    if isinstance(pyramid, StripPyramid):
        return adam_in_strips(evaluate, start, pyramid, fraction_done, settings, report=report)
    return adam(evaluate, start, pyramid, fraction_done, settings, report=report, late=late)


def steps_late(settings: Settings) -> int:
    """Return by how many steps the numbers of a step are read late: on a GPU, which would wait else, by one.

    Not where costs decide when a scale ends.
    """
    return 1 if device().is_gpu and not settings.until_converged else 0


class Moments(NamedTuple):
    """Adam's memory of the gradients in each band: their means, and the means of their squares."""

    first: list[tf.Tensor]
    second: list[tf.Tensor]


def adam(
    evaluate: Evaluate,
    start: Descent,
    pyramid: Pyramid,
    fraction_done: FractionDone,
    settings: Settings,
    *,
    report: Report,
    pace: np.ndarray | None = None,
    late: int = 0,
) -> np.ndarray:
    """Take Adam's steps in the bands of a pyramid, and clip the pixels after each step; see minimize.

    pace  a factor on the step size for each pixel, [height, width, 1]; None for 1 everywhere
    late  by how many steps the numbers of a step are read late, so that a GPU need not wait

    Return the mean of the pictures after the last steps, a fraction settings.average of all. What is noise in the steps
    is less in their mean (Polyak & Juditsky 1992).
    """
    step, paces = adam_step(len(pyramid.sizes)), tf.ones([1, 1, 1]) if pace is None else tf.constant(pace, tf.float32)
    betas = tf.constant([settings.beta1, settings.beta2])
    good = now = _begin(start, pyramid)  # The place before the last step, and where the steps have come.
    waiting: deque[_Taken] = deque()  # The steps whose numbers have not been read.
    totals, rate, failures = list(start.totals), start.rate, 0
    while (done := fraction_done(len(totals) + len(waiting), totals)) < 1 or waiting:
        if done < 1:
            costs, gradient = evaluate(now.picture)
            size = rate * learning_rate(settings, done) / 255
            number = now.steps + 1
            picture, moments, check = step(
                now.picture, now.moments, gradient, size * paces, tf.constant(number), betas, pyramid.band_map
            )
            then = now.after(number, picture, moments, averages=done >= 1 - settings.average)
            waiting.append(_Taken(now, then, tuple(costs), tf.stack([*costs.values(), check])))
            now = then
        if done < 1 and len(waiting) <= late:
            continue
        taken = waiting.popleft()
        *values, check = taken.numbers.numpy().tolist()
        numbers = dict(zip(taken.names, values, strict=True))
        if finite(numbers):
            good = taken.before
            if math.isfinite(check):
                totals.append(numbers["total"])
                report(numbers, partial(taken.after.descent, totals, rate))
                continue
        now = good
        waiting.clear()
        failures += 1
        rate /= 2
        if failures > TRIES:
            raise out_of_hand(numbers)
    return now.result.numpy()


class _Place(NamedTuple):
    """Where Adam is: the number of steps, the picture, the moments, and the mean of the pictures averaged so far."""

    steps: float
    picture: tf.Tensor
    moments: Moments
    mean: tf.Tensor | None = None
    averaged: int = 0

    @property
    def result(self) -> tf.Tensor:
        """Return the picture that the scale would end with now."""
        return self.picture if self.mean is None else self.mean

    def after(self, steps: float, picture: tf.Tensor, moments: Moments, *, averages: bool) -> _Place:
        """Return the place after a step.

        averages  whether the picture counts in the mean
        """
        if not averages:
            return _Place(steps, picture, moments, self.mean, self.averaged)
        averaged = self.averaged + 1
        mean = picture if self.mean is None else self.mean + (picture - self.mean) / averaged
        return _Place(steps, picture, moments, mean, averaged)

    def descent(self, totals: Sequence[float], rate: float) -> Descent:
        """Return the place as arrays."""
        kept = (np.float32(self.steps), *(moment.numpy() for moment in itertools.chain(*self.moments)))
        mean = None if self.mean is None else self.mean.numpy()
        return Descent(self.picture.numpy(), tuple(totals), kept, rate, mean, self.averaged)


class _Taken(NamedTuple):
    """A step: the places before and after, the names of the costs before, and these and a check, not read yet."""

    before: _Place
    after: _Place
    names: tuple[str, ...]
    numbers: tf.Tensor


def _begin(start: Descent, pyramid: Pyramid) -> _Place:
    """Return the place where a descent goes on. Raises RunError."""
    steps, moments, bands = 0.0, _no_moments(pyramid), len(pyramid.sizes)
    if start.moments:
        check_moments(start, [(*size, 3) for size in pyramid.sizes])
        steps, (*both,) = float(start.moments[0]), map(tf.constant, start.moments[1:])
        moments = Moments(both[:bands], both[bands:])
    mean = None if start.mean is None else tf.constant(start.mean)
    return _Place(steps, tf.constant(start.image), moments, mean, start.averaged)


@cache
def adam_step(bands: int) -> Callable[..., tuple[tf.Tensor, Moments, tf.Tensor]]:
    """Return Adam's step (Kingma & Ba 2015, algorithm 1) as one graph, for pictures of any size.

    bands  the number of bands

    The step returns the new picture, the new moments, and a number that is finite only if every pixel is.
    """
    image, parts = tf.TensorSpec([None, None, 3]), [tf.TensorSpec([None, None, 3])] * bands
    matrix = tf.TensorSpec([None, None])
    numbers = BandMap(tf.TensorSpec([bands]), tf.TensorSpec([3, 3]), ((matrix, matrix),) * (bands - 1))
    number = tf.TensorSpec([])

    @tf.function(
        input_signature=(
            image,
            Moments(parts, parts),
            image,
            tf.TensorSpec([None, None, 1]),
            number,
            tf.TensorSpec([2]),
            numbers,
        ),
        autograph=False,
    )
    def step(
        picture: tf.Tensor,
        moments: Moments,
        gradient: tf.Tensor,
        rate: tf.Tensor,
        count: tf.Tensor,
        betas: tf.Tensor,
        band_map: BandMap,
    ) -> tuple[tf.Tensor, Moments, tf.Tensor]:
        beta1, beta2 = tf.unstack(betas)
        slopes = split(gradient, band_map)
        first = [m + (g - m) * (1 - beta1) for m, g in zip(moments.first, slopes, strict=True)]
        second = [v + (tf.square(g) - v) * (1 - beta2) for v, g in zip(moments.second, slopes, strict=True)]
        unbiased = tf.sqrt(1 - beta2**count) / (1 - beta1**count)
        moves = [unbiased * m / (tf.sqrt(v) + LEAST_DEVIATION) for m, v in zip(first, second, strict=True)]
        moved = picture - rate * combine(moves, band_map)
        return tf.clip_by_value(moved, 0, 1), Moments(first, second), tf.reduce_sum(moved)

    return step


def _no_moments(pyramid: Pyramid) -> Moments:
    return Moments(*([tf.zeros([*size, 3]) for size in pyramid.sizes] for _ in range(2)))


def lbfgs(evaluate: Evaluate, start: Descent, fraction_done: FractionDone, *, report: Report) -> np.ndarray:
    """Return the best picture of SciPy's L-BFGS-B (Byrd et al. 1995) with the pixel range as bounds; see minimize.

    A step is one evaluation. After a number that is not finite, L-BFGS starts to remember anew, at the best picture so
    far.
    """
    import scipy.optimize  # Only here: it takes long to import.

    best, lowest, totals = start.image, math.inf, list(start.totals)

    def cost_and_gradient(pixels: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best, lowest
        if fraction_done(len(totals), totals) >= 1:
            raise StopIteration
        picture = pixels.reshape(start.image.shape).astype(np.float32)
        costs, gradient = evaluate(tf.constant(picture))
        numbers, slope = numbers_of(costs), np.asarray(gradient).ravel().astype(np.float64)
        if not finite(numbers) or not np.isfinite(slope.sum()):
            raise out_of_hand(numbers)
        if numbers["total"] < lowest:
            best, lowest = picture, numbers["total"]
        totals.append(numbers["total"])
        report(numbers, lambda: Descent(best, tuple(totals)))
        return numbers["total"], slope

    for attempt in range(TRIES + 1):
        try:
            scipy.optimize.minimize(
                cost_and_gradient,
                best.ravel().astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                bounds=scipy.optimize.Bounds(0, 1),
                options={"maxcor": CORRECTIONS, "maxfun": MOST_STEPS, "maxiter": MOST_STEPS, "ftol": 0, "gtol": 0},
            )
            return best
        except StopIteration:  # from cost_and_gradient: SciPy has no other way to end within an iteration
            return best
        except RunError:
            if attempt == TRIES:
                raise
    return best
