"""The chart of a run's costs: each line within the plot, round numbers on the axes."""

import pytest
from pages import steps_of

from nst.report.chart import MOST_POINTS, Reading, make_chart


def test_a_chart_has_a_line_for_each_cost_and_scale_within_its_plot():
    steps = steps_of(((32, 24, 3000), (64, 48, 4), (128, 96, 1)))
    steps[5].costs.update(style=0.0, total=float("inf"))
    chart = make_chart(steps)
    assert [len(parts) for parts in chart.lines.values()] == [3, 3, 3]
    points = [
        tuple(map(float, point.split(","))) for parts in chart.lines.values() for p in parts for point in p.split()
    ]
    assert len(points) <= 3 * 2 * MOST_POINTS
    assert min(min(point) for point in points) >= 0
    assert max(max(point) for point in points) <= 1000
    assert [tick.label for tick in chart.scales] == ["32", "64", "128"]
    assert [tick.label for tick in chart.steps] == ["1", "1000", "2000", "3005"]
    assert [tick.label for tick in chart.costs] == ["0.001", "0.01", "0.1", "1"]
    assert len(chart.readings) == len(chart.lines["total"][0].split()) + 4 + 1
    assert chart.readings[0] == Reading(1, 32, ("3", "1", "2"))
    assert (chart.readings[-1].step, chart.readings[-1].long_side_px) == (3005, 128)
    half = make_chart(steps_of(), last=24)
    assert max(float(point.split(",")[0]) for point in half.lines["total"][1].split()) == pytest.approx(478, abs=1)
