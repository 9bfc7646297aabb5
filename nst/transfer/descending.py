"""What the optimisers share: the report of a step, the learning rate, and what to do where numbers get out of hand."""

import math
from collections.abc import Callable, Sequence

from nst.errors import RunError
from nst.settings import Settings
from nst.transfer.losses import Costs
from nst.transfer.state import Descent

# Takes the costs of a step by name, and a function that returns the descent after the step.
Report = Callable[[dict[str, float], Callable[[], Descent]], None]
TRIES = 3  # The number of tries to go on from the last good picture, each with half the step size.


def check_moments(start: Descent, shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise RunError unless a descent's moments are of bands of these shapes."""
    if [m.shape for m in start.moments] != [(), *shapes, *shapes]:
        raise RunError("the state to go on from is damaged or of another version; start the run anew")


def finite(numbers: dict[str, float]) -> bool:
    """Return whether all costs are finite."""
    return all(map(math.isfinite, numbers.values()))


def out_of_hand(numbers: dict[str, float], *, retried: bool = True) -> RunError:
    """Return the error of a run whose costs or gradient are not finite.

    retried  whether smaller steps have been tried
    """
    bad = [f"{name} cost {value}" for name, value in numbers.items() if not math.isfinite(value)] or ["the gradient"]
    tried = ", with smaller steps too" if retried else ""
    return RunError(f"numbers are out of hand ({', '.join(bad)}){tried}; lower --learning-rate")


def learning_rate(settings: Settings, done: float) -> float:
    """Return the learning rate, in levels of 255, at the fraction `done` of a scale's steps."""
    falling = 0.5 + 0.5 * math.cos(math.pi * done) if settings.decay == "cosine" else 1.0
    return settings.learning_rate * settings.departure * falling


def numbers_of(costs: Costs) -> dict[str, float]:
    """Return costs as numbers."""
    return {name: float(cost) for name, cost in costs.items()}
