"""The time of a run is divided among all scales, and each scale gets a step."""

import numpy as np
import pytest

from nst.preset_files import make_settings
from nst.transfer.scales import Scale
from nst.transfer.schedule import Schedule, has_converged

SCALES = [Scale((side, side), ((side, side),), steps) for side, steps in ((32, 40), (64, 20), (128, 10))]


def steps_of(seconds_per_pixel, **overrides):
    """Return the number of steps of each scale, and the time at the end of the run."""
    now = 0.0
    schedule = Schedule(SCALES, make_settings(overrides=overrides), lambda: now)
    numbers = []
    for index, scale in enumerate(SCALES):
        fraction_done, totals = schedule.fraction_done(index), []
        fractions = [fraction_done(0, totals)]
        while fractions[-1] < 1:
            now += seconds_per_pixel * scale.size[0] ** 2
            totals.append(1.0)
            fractions.append(fraction_done(len(totals), totals))
        assert fractions[0] == 0
        assert fractions == sorted(fractions)
        numbers.append(len(totals))
    return numbers, now


def test_without_a_limit_steps_are_as_planned():
    assert steps_of(1.0)[0] == [40, 20, 10]
    assert steps_of(1e-9, max_time=100)[0] == [40, 20, 10]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_time_is_spent_on_all_scales_in_proportion(share):
    seconds_per_pixel = 1e-3
    whole = steps_of(seconds_per_pixel)[1]
    numbers, took = steps_of(seconds_per_pixel, max_time=share * whole)
    np.testing.assert_allclose(numbers, share * np.array([40, 20, 10]), atol=1.6)
    assert abs(took - share * whole) < seconds_per_pixel * 128**2


def test_each_scale_gets_a_step_in_no_time():
    assert steps_of(1.0, max_time=0.001)[0] == [1, 1, 1]


def test_a_scale_has_converged_when_its_smoothed_cost_falls_no_more():
    falling = [0.99**k for k in range(50)]
    assert not has_converged(falling)
    assert has_converged([*falling, *[falling[-1]] * 30])
    assert not has_converged([1.0] * 3)
    noisy = [value * (1 + 0.01 * (-1) ** k) for k, value in enumerate(falling)]
    assert not has_converged(noisy)
    assert steps_of(1.0, until_converged=True)[0] == [5, 5, 5]
