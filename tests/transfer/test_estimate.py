"""The estimate of a run's time: from a measured step, by the work of all scales, and no more than the time allowed."""

import pytest
from conftest import SHALLOW

from nst.preset_files import make_settings
from nst.transfer import estimate
from nst.transfer.estimate import TIME_IN_TILES, estimated_seconds
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale

SCALES = [Scale((16, 24), ((24, 18),), 4), Scale((32, 48), ((48, 36),), 2)]


@pytest.fixture
def inputs(content, style, monkeypatch):
    """The inputs of a run in which each look at the clock is a second after the one before."""
    now = iter(range(100))
    monkeypatch.setattr(estimate.time, "monotonic", lambda: next(now))
    return Inputs(content, (style,), make_settings(overrides=SHALLOW))


def test_time_grows_with_the_pixels_of_all_steps(shallow_network, inputs):
    """A second for a step at the first scale, and 4 times as much at twice the size."""
    assert estimated_seconds(shallow_network, inputs, SCALES, 10_000) == pytest.approx(4 + 2 * 4)


def test_steps_in_tiles_take_longer(shallow_network, inputs):
    assert estimated_seconds(shallow_network, inputs, SCALES, 20) == pytest.approx(4 + 2 * 4 * TIME_IN_TILES)


def test_no_more_than_the_time_allowed(shallow_network, content, style):
    limited = Inputs(content, (style,), make_settings(overrides={**SHALLOW, "max_time": 1e-6}))
    assert estimated_seconds(shallow_network, limited, SCALES, 10_000) == 1e-6
