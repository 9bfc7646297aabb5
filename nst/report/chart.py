"""The chart of a run's costs: lines on a logarithmic axis, as coordinates for a page. No files, no drawing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nst.transfer.state import Step

MOST_POINTS = 400  # The largest number of points of a line.
UNIT = 1000  # The width and the height of the plot.
LARGEST_RANGE = 1e6  # The ratio of the largest cost to the smallest that is drawn.


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in per cent from the left or the top, and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Reading:
    """The costs at a step of the chart, in words and in the order of the lines."""

    step: int
    long_side_px: int
    costs: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """The lines of a run's costs and the marks on the axes of the plot, which is UNIT wide and UNIT high.

    lines     cost name -> the points "x,y x,y ..." of one line per scale, from the top left corner
    costs     the marks of the vertical axis
    steps     the marks of the horizontal axis
    scales    the beginning of each scale, labelled with its long side in px
    readings  the costs at each point of a line, over all scales
    """

    lines: dict[str, list[str]]
    costs: tuple[Tick, ...]
    steps: tuple[Tick, ...]
    scales: tuple[Tick, ...]
    readings: tuple[Reading, ...]


def make_chart(steps: Sequence[Step], last: int = 0) -> Chart:
    """Return the chart of one or more steps; `last` is the number of the last step that is planned."""
    first, last = steps[0].number, max(last, steps[-1].number)
    low, high = _range(steps)
    bottom, top = math.log10(low), math.log10(high)

    def across(number: int) -> float:
        return (number - first) / max(1, last - first)

    def down(cost: float) -> float:
        return (top - math.log10(min(max(cost, low), high))) / (top - bottom) if cost > 0 else 1.0

    scales = [_thinned(scale) for scale in scales_of(steps)]
    lines = {
        name: [
            " ".join(f"{UNIT * across(step.number):.1f},{UNIT * down(step.costs[name]):.1f}" for step in scale)
            for scale in scales
        ]
        for name in steps[0].costs
    }
    return Chart(
        lines,
        tuple(Tick(100 * down(cost), f"{cost:g}") for cost in _costs_between(low, high)),
        tuple(Tick(100 * across(number), str(number)) for number in _numbers_between(first, last)),
        tuple(Tick(100 * across(scale[0].number), f"{max(scale[0].size)}") for scale in scales),
        tuple(map(_reading, itertools.chain(*scales))),
    )


def scales_of(steps: Sequence[Step]) -> list[list[Step]]:
    """Return the steps of each scale."""
    return [list(group) for _, group in itertools.groupby(steps, key=lambda step: step.size)]


def _reading(step: Step) -> Reading:
    return Reading(step.number, max(step.size), tuple(f"{cost:.4g}" for cost in step.costs.values()))


def _range(steps: Sequence[Step]) -> tuple[float, float]:
    """Return the lowest and the highest cost of the axis, a little beyond the costs themselves."""
    costs = [cost for step in steps for cost in step.costs.values() if 0 < cost < math.inf] or [1.0]
    high = max(costs)
    low = max(min(costs), high / LARGEST_RANGE)
    return low / 1.15, high * 1.15


def _thinned(steps: Sequence[Step]) -> list[Step]:
    """Return at most about MOST_POINTS of the steps, the first and the last among them."""
    every = math.ceil(len(steps) / MOST_POINTS)
    return [*steps[:-1:every], steps[-1]]


def _costs_between(low: float, high: float) -> Iterator[float]:
    """Yield the powers of ten between two costs; in a small range also their double and fivefold."""
    factors = (1, 2, 5) if high / low < 150 else (1,)
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (factor * 10.0**power for factor in factors if low <= factor * 10.0**power <= high)


def _numbers_between(first: int, last: int) -> list[int]:
    """Return the first number, the last, and about three round numbers between, none close to either end."""
    rough = max(1, (last - first) / 4)
    power = 10 ** math.floor(math.log10(rough))
    every = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    between = [number for number in range(every, last, every) if first + every / 2 < number < last - every / 2]
    return sorted({first, *between, last})
