"""Adam and L-BFGS-B (SciPy's): two ways to lower what one `evaluate` measures. Pixels stay within [0, 1]."""

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.optimize
import tensorflow as tf

from nst.errors import RunError
from nst.settings import Settings
from nst.transfer.losses import Costs
from nst.transfer.objective import Evaluate
from nst.transfer.pyramid import Bands, Basis, combine, split
from nst.transfer.schedule import Pace
from nst.transfer.state import Descent

Report = Callable[[dict[str, float], Callable[[], Descent]], None]  # costs by name, and where they lead
CORRECTIONS = 10  # pairs of steps and gradients that L-BFGS remembers
MOST_STEPS = 1_000_000_000  # of L-BFGS, which the pace ends before
LEAST_DEVIATION = 1e-12  # of gradients: Adam's epsilon
TRIES = 3  # to go on from the last good picture, each with half the step size


def minimize(
    evaluate: Evaluate, start: Descent, basis: Basis, pace: Pace, settings: Settings, *, report: Report
) -> np.ndarray:
    """Return the image when `pace` says that all of the scale is behind, each evaluation reported.

    L-BFGS has no use for the basis. Where a cost or a gradient is no finite number, it goes back to the last good
    picture with half the step size; raises RunError where that does not help.
    """
    if settings.optimizer == "lbfgs":
        return lbfgs(evaluate, start, pace, report=report)
    return adam(evaluate, start, basis, pace, settings, report=report)


class Moments(NamedTuple):
    """What Adam remembers of the gradients in each band: their means and the means of their squares."""

    first: list[tf.Tensor]
    second: list[tf.Tensor]


def adam(
    evaluate: Evaluate, start: Descent, basis: Basis, pace: Pace, settings: Settings, *, report: Report
) -> np.ndarray:
    """Take Adam's steps in `basis`, clipping the pixels after each."""
    step = adam_step(len(basis.sizes))
    betas = tf.constant([settings.beta1, settings.beta2])
    count, picture, moments = 0.0, tf.constant(start.image), _no_moments(basis)
    if start.moments:
        count, (*both,) = float(start.moments[0]), map(tf.constant, start.moments[1:])
        moments = Moments(both[: len(basis.sizes)], both[len(basis.sizes) :])
    good = count, picture, moments  # before the last step
    totals, rate, failures = list(start.totals), start.rate, 0

    def descent() -> Descent:
        kept = (np.float32(count), *(moment.numpy() for moment in itertools.chain(*moments)))
        return Descent(picture.numpy(), tuple(totals), kept, rate)

    while (behind := pace(totals)) < 1:
        costs, gradient = evaluate(picture)
        numbers = _numbers(costs)
        if _finite(numbers):
            good = count, picture, moments
            size = rate * _learning_rate(settings, behind) / 255
            count += 1
            picture, moments, check = step(
                picture, moments, gradient, tf.constant(size, tf.float32), tf.constant(count), betas, basis.bands
            )
            if math.isfinite(float(check)):
                totals.append(numbers["total"])
                report(numbers, descent)
                continue
        count, picture, moments = good
        failures += 1
        rate /= 2
        if failures > TRIES:
            raise _out_of_hand(numbers)
    return picture.numpy()


@cache
def adam_step(bands: int) -> Callable[..., tuple[tf.Tensor, Moments, tf.Tensor]]:
    """Return Adam's step (Kingma & Ba 2015, algorithm 1) for pictures with so many bands, of any size: one graph.

    It returns picture and moments anew, and a number that is not finite if a pixel is not.
    """
    image, parts = tf.TensorSpec([None, None, 3]), [tf.TensorSpec([None, None, 3])] * bands
    matrix = tf.TensorSpec([None, None])
    shape = Bands(tf.TensorSpec([bands]), tf.TensorSpec([3, 3]), ((matrix, matrix),) * (bands - 1))
    number = tf.TensorSpec([])

    @tf.function(
        input_signature=(image, Moments(parts, parts), image, number, number, tf.TensorSpec([2]), shape),
        autograph=False,
    )
    def step(
        picture: tf.Tensor,
        moments: Moments,
        gradient: tf.Tensor,
        rate: tf.Tensor,
        count: tf.Tensor,
        betas: tf.Tensor,
        bands: Bands,
    ) -> tuple[tf.Tensor, Moments, tf.Tensor]:
        beta1, beta2 = tf.unstack(betas)
        slopes = split(gradient, bands)
        first = [m + (g - m) * (1 - beta1) for m, g in zip(moments.first, slopes, strict=True)]
        second = [v + (tf.square(g) - v) * (1 - beta2) for v, g in zip(moments.second, slopes, strict=True)]
        unbiased = tf.sqrt(1 - beta2**count) / (1 - beta1**count)
        moves = [unbiased * m / (tf.sqrt(v) + LEAST_DEVIATION) for m, v in zip(first, second, strict=True)]
        moved = picture - rate * combine(moves, bands)
        return tf.clip_by_value(moved, 0, 1), Moments(first, second), tf.reduce_sum(moved)

    return step


def _no_moments(basis: Basis) -> Moments:
    return Moments(*([tf.zeros([*size, 3]) for size in basis.sizes] for _ in range(2)))


def lbfgs(evaluate: Evaluate, start: Descent, pace: Pace, *, report: Report) -> np.ndarray:
    """Run SciPy's L-BFGS-B (Byrd et al. 1995) with the pixel range as bounds and return the best picture.

    A step is one evaluation. After a number that is not finite it starts to remember anew, at the best picture so far.
    """
    best, lowest, totals = start.image, math.inf, list(start.totals)

    def cost_and_gradient(pixels: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best, lowest
        if pace(totals) >= 1:
            raise StopIteration
        picture = pixels.reshape(start.image.shape).astype(np.float32)
        costs, gradient = evaluate(tf.constant(picture))
        numbers, slope = _numbers(costs), gradient.numpy().ravel().astype(np.float64)
        if not _finite(numbers) or not np.isfinite(slope.sum()):
            raise _out_of_hand(numbers)
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
        except StopIteration:  # out of SciPy, which has no other way to end within an iteration
            return best
        except RunError:
            if attempt == TRIES:
                raise
    return best


def _finite(numbers: dict[str, float]) -> bool:
    return all(map(math.isfinite, numbers.values()))


def _out_of_hand(numbers: dict[str, float]) -> RunError:
    bad = [f"{name} cost {value}" for name, value in numbers.items() if not math.isfinite(value)] or ["the gradient"]
    return RunError(f"numbers are out of hand ({', '.join(bad)}), with smaller steps too; lower --learning-rate")


def _learning_rate(settings: Settings, done: float) -> float:
    """Return the rate, in levels of 255, when the share `done` of a scale's steps is behind."""
    falling = 0.5 + 0.5 * math.cos(math.pi * done) if settings.decay == "cosine" else 1.0
    return settings.learning_rate * settings.departure * falling


def _numbers(costs: Costs) -> dict[str, float]:
    return {name: float(cost) for name, cost in costs.items()}
