"""Adam (Keras) and L-BFGS-B (SciPy): two ways to lower what one `evaluate` measures. Pixels stay within [0, 1]."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.optimize
import tensorflow as tf

from nst.basis import Basis
from nst.errors import RunError
from nst.measure import Costs
from nst.objective import Evaluate
from nst.pace import Pace
from nst.settings import Settings
from nst.state import Descent

Report = Callable[[dict[str, float], Callable[[], Descent]], None]  # costs by name, and where they lead
CORRECTIONS = 10  # pairs of steps and gradients that L-BFGS remembers
MOST_STEPS = 1_000_000_000  # of L-BFGS, which the pace ends before
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


def adam(
    evaluate: Evaluate, start: Descent, basis: Basis, pace: Pace, settings: Settings, *, report: Report
) -> np.ndarray:
    """Take Adam's steps (Kingma & Ba 2015) in `basis`, clipping the pixels after each.

    Keras' Adam moves variables that are set to zero before each step, so what it leaves in them is the move.
    """
    picture = tf.Variable(start.image)
    moves = [tf.Variable(tf.zeros([*size, 3])) for size in basis.sizes]
    optimizer = tf.keras.optimizers.Adam(1.0, settings.beta1, settings.beta2, epsilon=1e-12)
    optimizer.build(moves)
    moments = [variable.value for variable in optimizer.variables]  # with Adam's count of steps
    if start.moments:
        _assign(moments, start.moments)

    @tf.function(autograph=False)
    def step(gradient: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        for move in moves:
            move.assign(tf.zeros_like(move))
        optimizer.apply_gradients(zip(basis.split(gradient), moves, strict=True))
        moved = picture + rate * basis.combine([move.read_value() for move in moves])
        picture.assign(tf.clip_by_value(moved, 0, 1))
        return tf.reduce_sum(moved)  # not finite if one pixel is not

    variables = [picture, *moments]
    good = [variable.read_value() for variable in variables]  # before the last step; copied only where changed
    totals, rate, failures = list(start.totals), start.rate, 0

    def descent() -> Descent:
        return Descent(picture.numpy(), tuple(totals), tuple(variable.numpy() for variable in moments), rate)

    while (behind := pace(totals)) < 1:
        costs, gradient = evaluate(picture.read_value())
        numbers = _numbers(costs)
        if _finite(numbers):
            good = [variable.read_value() for variable in variables]
            size = rate * _learning_rate(settings, behind) / 255
            if math.isfinite(float(step(gradient, tf.constant(size, tf.float32)))):
                totals.append(numbers["total"])
                report(numbers, descent)
                continue
        _assign(variables, good)
        failures += 1
        rate /= 2
        if failures > TRIES:
            raise _out_of_hand(numbers)
    return picture.numpy()


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


def _assign(variables: Sequence[tf.Variable], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


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
