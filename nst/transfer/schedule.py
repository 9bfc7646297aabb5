"""The fraction of a scale's steps done: by their number, by the time left, and by the gain that steps still bring."""

from collections.abc import Callable, Sequence

from nst.settings import Settings
from nst.transfer.scales import Scale

# The number of a scale's steps so far, and the total cost at each of them, or at all but the newest -> the fraction of
# the scale's steps done. 1 ends the scale.
FractionDone = Callable[[int, Sequence[float]], float]
LEAST_GAIN = 0.001  # The fraction of the cost that a step gains at least, before the scale counts as converged.
SMOOTHING = 0.3  # The weight of the newest cost in the running mean of the costs.
LEAST_STEPS = 5  # The number of steps before a scale may count as converged.


class Schedule:
    """Divide the time of a run among its scales, as measured while the run goes. Each scale gets one step at least.

    clock  returns the seconds that the run has taken
    """

    def __init__(self, scales: Sequence[Scale], settings: Settings, clock: Callable[[], float]) -> None:
        self.scales = scales
        self.settings = settings
        self.clock = clock
        self.seconds_per_pixel = 0.0  # The time of the newest step, divided by the pixels of its picture.

    def fraction_done(self, index: int) -> FractionDone:
        """Return the function that tells the fraction of a scale's steps done. The scale begins now.

        Of the time left, less one step of each later scale, the scale gets a part. The part is in proportion to the
        pixels that the scale's steps are to see.
        """
        scale, later = self.scales[index], [other for other in self.scales[index + 1 :] if other.steps]
        began = before = self.clock()
        spared = sum(self.seconds_per_pixel * _pixels(other) for other in later)
        left = max(0.0, self.settings.max_time - began - spared)
        seconds = left * scale.work / max(1, scale.work + sum(other.work for other in later))

        def fraction_done(steps: int, totals: Sequence[float]) -> float:
            nonlocal before
            now = self.clock()
            took, before = now - before, now
            fraction = steps / scale.steps
            if self.settings.max_time and steps:
                self.seconds_per_pixel = took / _pixels(scale)
                fraction = max(fraction, (now - began + took / 2) / max(seconds, 1e-9))
            if self.settings.until_converged and has_converged(totals):
                return 1.0
            return min(fraction, 1.0)

        return fraction_done


def has_converged(totals: Sequence[float]) -> bool:
    """Return whether the smoothed cost no longer falls by LEAST_GAIN of itself per step."""
    if len(totals) < LEAST_STEPS:
        return False
    mean = previous = totals[0]
    for total in totals[1:]:
        previous, mean = mean, (1 - SMOOTHING) * mean + SMOOTHING * total
    return previous - mean < LEAST_GAIN * previous


def _pixels(scale: Scale) -> int:
    return scale.size[0] * scale.size[1]
