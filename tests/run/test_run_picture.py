"""From a request to the files of a run: by-products never cost a picture, and other weights are told in time."""

import json

import numpy as np
import pytest
from conftest import SMALL

import neural_art
from nst.network import weights
from nst.network.loaded import forget_network
from nst.pictures.picture_files import read_image


def lines_of(capsys):
    """Return what was printed to stdout, and the lines on stderr that are no progress."""
    out, err = capsys.readouterr()
    return out, [line for line in err.splitlines() if line.startswith("neural_art:")]


@pytest.fixture
def first(here, pictures, tiny, capsys):
    """Return the path of a finished picture in the current folder."""
    assert neural_art.main([*pictures, *SMALL, "-o", "first.png"]) == 0
    capsys.readouterr()
    return here / "first.png"


def test_a_folder_in_the_place_of_the_record_costs_no_picture(first, here, capsys):
    (here / "b" / "settings.json").mkdir(parents=True)
    assert neural_art.main(["--settings-from", str(first), "--no-report", "-o", "b.png"]) == 0
    out, lines = lines_of(capsys)
    assert out == "b.png\n"
    assert lines == ["neural_art: b/settings.json: Is a directory; the run goes on without settings.json"]
    np.testing.assert_array_equal(read_image(here / "b.png"), read_image(first))


@pytest.mark.parametrize("name", ["losses.csv", "losses.png", "report.html", "step_00001_32px.png"])
def test_a_folder_in_the_place_of_a_by_product_costs_no_picture(here, pictures, tiny, capsys, name):
    (here / "art" / name).mkdir(parents=True)
    words = [*pictures, *SMALL, "--plot", "--snapshot-every", "1", "-o", "art.png"]
    assert neural_art.main(words) == 0
    out, lines = lines_of(capsys)
    assert out == "art.png\n"
    assert [line for line in lines if f"art/{name}: " in line] == lines
    assert len(lines) == 1


def test_a_mistake_in_a_by_product_costs_no_picture(here, pictures, tiny, capsys, monkeypatch):
    """A mistake of ours in the report, found after hours, is told; the picture is there and the exit code is 0."""

    def mistake(path, run):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("nst.run.results.write_run_page", mistake)
    assert neural_art.main([*pictures, *SMALL, "-o", "art.png"]) == 0
    out, lines = lines_of(capsys)
    assert out == "art.png\n"
    assert lines == ["neural_art: report.html: ZeroDivisionError('ours'); the run goes on without report.html"]


def test_other_weights_are_told_before_the_first_step(first, here, tiny_weights, capsys, monkeypatch):
    other = {**tiny_weights, "conv1_1": tuple(-part for part in tiny_weights["conv1_1"])}
    monkeypatch.setattr(weights, "load_weights", lambda _source=None: other)
    forget_network()
    told = []

    def listen(step, picture, state):
        if step.number == 1:
            told.extend(lines_of(capsys)[1])

    words = ["--settings-from", str(first), "-o", "b.png"]
    assert neural_art.main(words, on_step=[listen]) == 0
    assert told == [f"neural_art: {first}: made with other weights: pixels may differ"]


def test_warnings_are_part_of_the_report(first, here, capsys):
    record = json.loads((here / "first" / "settings.json").read_text())
    record["versions"]["neural_art"] = "0.0.9"
    (here / "old.json").write_text(json.dumps(record))
    assert neural_art.main(["--settings-from", "old.json", "-o", "b.png"]) == 0
    assert "old.json: made with neural_art 0.0.9" in (here / "b" / "report.html").read_text()
