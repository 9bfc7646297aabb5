"""The files of a run's costs: a table and a plot."""

import csv
import sys

import pytest

from nst.errors import UserError
from nst.report.costs import plotting, write_cost_plot, write_costs
from nst.transfer.state import Step

STEPS = [
    Step(number, (20, 30) if number <= 4 else (40, 60), {"total": 3.0 / number, "content": 1.0, "style": 2.0})
    for number in range(1, 7)
]


def test_costs_are_a_table(tmp_path):
    write_costs(tmp_path / "losses.csv", STEPS)
    rows = list(csv.DictReader((tmp_path / "losses.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert rows[3] == {"step": "4", "long_side_px": "30", "total": "0.75", "content": "1", "style": "2"}


def test_plot_is_a_picture(tmp_path):
    write_cost_plot(tmp_path / "losses.png", STEPS)
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_plot_without_matplotlib_names_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match=r"pip install -r requirements-plots\.txt"):
        plotting()
