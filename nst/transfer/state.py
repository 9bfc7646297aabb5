"""Where a run is: the step just done, and all that is needed to go on from there. No TensorFlow, no files."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nst.pictures.resizing import Size


@dataclass(frozen=True)
class Step:
    """One evaluation of the cost: its number in the run, the size of the picture, and the costs by name.

    number   from 1, over all scales
    seconds  the time that the run had taken when the step was done; 0 where that is not known
    """

    number: int
    size: Size
    costs: dict[str, float]
    seconds: float = 0.0


@dataclass(frozen=True)
class Descent:
    """Where an optimiser is within a scale.

    image    the picture
    totals   the total cost at each step of this scale
    moments  Adam's memory of the gradients. L-BFGS leaves none, and starts to remember anew.
    rate     a factor of the step size, halved each time that numbers got out of hand
    mean     the mean of the pictures averaged so far, and averaged, their number; see settings.average
    """

    image: np.ndarray
    totals: tuple[float, ...] = ()
    moments: tuple[np.ndarray, ...] = ()
    rate: float = 1.0
    mean: np.ndarray | None = None
    averaged: int = 0

    @property
    def steps(self) -> int:
        """Return the number of steps done in this scale."""
        return len(self.totals)

    @property
    def result(self) -> np.ndarray:
        """Return the picture that the scale would end with now."""
        return self.image if self.mean is None else self.mean


@dataclass(frozen=True)
class State:
    """Where a run is: the index of its scale, the number of steps done over all scales, and the optimiser's descent.

    nearest  the match of the scale, made when it began; see Match
    """

    scale: int
    steps: int
    descent: Descent
    nearest: np.ndarray | None = None


# A listener: takes the step, and functions that return the picture after the step and the state to resume from. Their
# arrays are the run's own, which the next step may change.
OnStep = Callable[[Step, Callable[[], np.ndarray], Callable[[], State]], None]
