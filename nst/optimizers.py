"""Adam (Keras) and L-BFGS-B (SciPy): two ways to lower what one `evaluate` measures. Pixels stay within [0, 1]."""

import math
from collections.abc import Callable

import numpy as np
import scipy.optimize
import tensorflow as tf

from nst.basis import Basis
from nst.objective import Costs, Evaluate
from nst.settings import Settings

Report = Callable[[dict[str, float], Callable[[], np.ndarray]], None]  # costs by name, and the image that has them
CORRECTIONS = 10  # pairs of steps and gradients that L-BFGS remembers


def minimize(
    evaluate: Evaluate, image: np.ndarray, basis: Basis, steps: int, settings: Settings, *, report: Report
) -> np.ndarray:
    """Return the image after `steps` evaluations, each reported. L-BFGS has no use for the basis."""
    if settings.optimizer == "lbfgs":
        return lbfgs(evaluate, image, steps, report=report)
    return adam(evaluate, image, basis, steps, settings, report=report)


def adam(
    evaluate: Evaluate, image: np.ndarray, basis: Basis, steps: int, settings: Settings, *, report: Report
) -> np.ndarray:
    """Take Adam's steps (Kingma & Ba 2015) in `basis`, clipping the pixels after each.

    Keras' Adam moves variables that are set to zero before each step, so what it leaves in them is the move.
    """
    picture = tf.Variable(image)
    moves = [tf.Variable(tf.zeros([*size, 3])) for size in basis.sizes]
    optimizer = tf.keras.optimizers.Adam(1.0, settings.beta1, settings.beta2, epsilon=1e-12)
    optimizer.build(moves)

    @tf.function(autograph=False)
    def step(gradient: tf.Tensor, rate: tf.Tensor) -> None:
        for move in moves:
            move.assign(tf.zeros_like(move))
        optimizer.apply_gradients(zip(basis.split(gradient), moves, strict=True))
        picture.assign(tf.clip_by_value(picture + rate * basis.combine([move.read_value() for move in moves]), 0, 1))

    for index in range(steps):
        costs, gradient = evaluate(picture.read_value())
        step(gradient, tf.constant(_learning_rate(settings, index / steps) / 255, tf.float32))
        report(_numbers(costs), picture.numpy)
    return picture.numpy()


def lbfgs(evaluate: Evaluate, image: np.ndarray, steps: int, *, report: Report) -> np.ndarray:
    """Run SciPy's L-BFGS-B (Byrd et al. 1995) with the pixel range as bounds; a step is one evaluation."""

    def cost_and_gradient(pixels: np.ndarray) -> tuple[float, np.ndarray]:
        picture = pixels.reshape(image.shape).astype(np.float32)
        costs, gradient = evaluate(tf.constant(picture))
        report(_numbers(costs), lambda: picture)
        return float(costs["total"]), gradient.numpy().ravel().astype(np.float64)

    found = scipy.optimize.minimize(
        cost_and_gradient,
        image.ravel().astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=scipy.optimize.Bounds(0, 1),
        options={"maxcor": CORRECTIONS, "maxfun": steps, "maxiter": steps, "ftol": 0, "gtol": 0},
    )
    return found.x.reshape(image.shape).astype(np.float32)


def _learning_rate(settings: Settings, done: float) -> float:
    """Return the rate, in levels of 255, when the share `done` of a scale's steps is behind."""
    falling = 0.5 + 0.5 * math.cos(math.pi * done) if settings.decay == "cosine" else 1.0
    return settings.learning_rate * settings.departure * falling


def _numbers(costs: Costs) -> dict[str, float]:
    return {name: float(cost) for name, cost in costs.items()}
