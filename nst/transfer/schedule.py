"""How much of a scale is behind: by the number of its steps, by the time there is, and by what steps still gain."""

from collections.abc import Callable, Sequence

from nst.settings import Settings
from nst.transfer.scales import Scale

Pace = Callable[[Sequence[float]], float]  # total cost at each step of a scale -> share of the scale behind; 1 ends it
LEAST_GAIN = 0.001  # of the cost, by a step, below which a scale has converged
SMOOTHING = 0.3  # weight of the newest cost in their mean
LEAST_STEPS = 5  # before a scale may have converged


class Schedule:
    """Divide the time of a run among its scales, as measured while it goes. Each scale gets a step at least.

    clock  returns the seconds that the run has taken
    """

    def __init__(self, scales: Sequence[Scale], settings: Settings, clock: Callable[[], float]) -> None:
        self.scales = scales
        self.settings = settings
        self.clock = clock
        self.seconds_per_pixel = 0.0  # of a step

    def pace(self, index: int) -> Pace:
        """Return the pace of a scale, which begins now.

        It gets its share, by the pixels that all steps are to see, of what time is left, less a step of each later one.
        """
        scale, later = self.scales[index], self.scales[index + 1 :]
        began = before = self.clock()
        spared = sum(self.seconds_per_pixel * _pixels(other) for other in later)
        left = max(0.0, self.settings.max_time - began - spared)
        seconds = left * scale.work / (scale.work + sum(other.work for other in later))

        def behind(totals: Sequence[float]) -> float:
            nonlocal before
            now = self.clock()
            took, before = now - before, now
            share = len(totals) / scale.steps
            if self.settings.max_time and totals:
                self.seconds_per_pixel = took / _pixels(scale)
                share = max(share, (now - began + took / 2) / max(seconds, 1e-9))
            if self.settings.until_converged and has_converged(totals):
                return 1.0
            return min(share, 1.0)

        return behind


def has_converged(totals: Sequence[float]) -> bool:
    """Return whether the smoothed cost no longer falls by a thousandth per step."""
    if len(totals) < LEAST_STEPS:
        return False
    mean = previous = totals[0]
    for total in totals[1:]:
        previous, mean = mean, (1 - SMOOTHING) * mean + SMOOTHING * total
    return previous - mean < LEAST_GAIN * previous


def _pixels(scale: Scale) -> int:
    return scale.size[0] * scale.size[1]
