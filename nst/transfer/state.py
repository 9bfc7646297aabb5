"""Where a run is: the step just done, and all that is needed to go on from there. No TensorFlow, no files."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nst.pictures.resizing import Size


@dataclass(frozen=True)
class Step:
    """One evaluation of the cost: where the run is, and the costs by name.

    seconds  that the run had taken when it was done; 0 where that is not known
    """

    number: int  # from 1, over all scales
    size: Size
    costs: dict[str, float]
    seconds: float = 0.0


@dataclass(frozen=True)
class Descent:
    """Where an optimiser is within a scale.

    image    the picture
    totals   the total cost at each step of this scale
    moments  what Adam remembers of the gradients; L-BFGS leaves none, and starts to remember anew
    rate     factor of the step size: halved each time that numbers went out of hand
    """

    image: np.ndarray
    totals: tuple[float, ...] = ()
    moments: tuple[np.ndarray, ...] = ()
    rate: float = 1.0

    @property
    def steps(self) -> int:
        """Return how many are done in this scale."""
        return len(self.totals)


@dataclass(frozen=True)
class State:
    """Where a run is: the index of its scale, the steps done over all scales, and where the optimiser is."""

    scale: int
    steps: int
    descent: Descent


# A listener: takes the step, and functions that return the picture after it and the state to resume from.
OnStep = Callable[[Step, Callable[[], np.ndarray], Callable[[], State]], None]
