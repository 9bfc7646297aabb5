import csv
import io
import json
import sys

import pytest

from nst.errors import UserError
from nst.report.costs import plotting, write_cost_plot, write_costs
from nst.report.progress import Progress, write_json
from nst.transfer.scales import Scale
from nst.transfer.stylize import Step

SCALES = [Scale((20, 30), (20, 30), 4), Scale((40, 60), (40, 60), 2)]
STEPS = [
    Step(number, scale.size, {"total": 3.0 / number, "content": 1.0, "style": 2.0})
    for number, scale in enumerate([SCALES[0]] * 4 + [SCALES[1]] * 2, start=1)
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream):
    with Progress(SCALES, stream) as progress:
        for step in STEPS:
            progress.show(step)
    return stream.getvalue()


def test_plain_lines_where_stderr_is_no_terminal():
    text = shown(io.StringIO())
    assert "\r" not in text
    assert "\x1b" not in text
    assert text.splitlines()[0].startswith("30 px  step 1/6  total 3  content 1  style 2")
    assert "60 px  step 6/6" in text.splitlines()[-1]


def test_time_left_is_no_more_than_there_is_and_nothing_at_the_end():
    with Progress(SCALES, io.StringIO(), most_seconds=1e-9) as progress:
        progress.show(STEPS[0])
        assert progress.seconds_left is None  # the first step holds what is done but once
        progress.show(STEPS[1])
        assert progress.seconds_left == 0
    with Progress(SCALES, io.StringIO(), done=3) as progress:
        progress.show(STEPS[3])
        progress.show(STEPS[4])
        assert progress.seconds_left > 0
        progress.show(STEPS[5])
        assert progress.seconds_left == 0


def test_a_scale_that_ended_early_counts_as_done():
    with Progress(SCALES, io.StringIO()) as progress:
        progress.show(STEPS[0])
        progress.show(STEPS[4])
        assert progress.done == SCALES[0].work + SCALES[1].work // 2


def test_quiet_and_json():
    quiet, lines = io.StringIO(), io.StringIO()
    for kind, stream in (("quiet", quiet), ("json", lines)):
        with Progress(SCALES, stream, kind=kind) as progress:
            progress.tell("beware")
            progress.show(STEPS[0])
    assert quiet.getvalue() == "neural_art: beware\n"
    warning, step = map(json.loads, lines.getvalue().splitlines())
    assert warning == {"event": "warning", "message": "beware"}
    assert (step["event"], step["number"], step["steps"], step["long_side_px"]) == ("step", 1, 6, 30)


def test_a_bar_on_a_terminal():
    text = shown(Terminal())
    assert "\r" in text
    assert "100%" in text
    assert "60 px  step 6/6" in text


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


def test_json_is_for_people_too(tmp_path):
    write_json(tmp_path / "a.json", {"size": 512})
    assert (tmp_path / "a.json").read_text() == '{\n  "size": 512\n}\n'
