"""A run that was stopped goes on with --resume as if nothing had been."""

import json
import shutil

import numpy as np
import pytest
from conftest import SMALL

import neural_art
from nst.network.loaded import forget_network
from nst.pictures.picture_files import read_image

STEPS = 6  # of SMALL, over both scales


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    return {path.name for path in folder.iterdir()}


WAYS = [
    ["--preserve-color", "luminance", "--average", "1"],
    ["--init-noise", "0.4", "--seed", "3"],
    ["--basis", "pixels", "--bit-depth", "16"],
    ["--until-converged", "--steps", "5"],
]


@pytest.mark.parametrize("words", [[], *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS)], ids=" ".join)
def test_resumed_is_straight_through(here, pictures, tiny, stopped_at, words):
    """Wherever it is stopped, after the last step of a scale and of the run too: the same pixels, the same costs."""
    assert neural_art.main([*pictures, *SMALL, *words, "-o", "whole.png"]) == 0
    steps = len((here / "whole" / "losses.csv").read_text().splitlines()) - 1
    for number in [*range(1, steps, max(1, steps // 6)), steps]:
        line = stopped_at(number, [*pictures, *SMALL, *words, "-o", "art.png", "--overwrite"])
        assert line == "neural_art: stopped; art.png is the picture so far; to go on: python neural_art.py --resume art"
        assert "checkpoint.npz" in files(here / "art")
        assert neural_art.main(["--resume", "art"]) == 0
        np.testing.assert_array_equal(read_image(here / "art.png"), read_image(here / "whole.png"))
        assert (here / "art" / "losses.csv").read_text() == (here / "whole" / "losses.csv").read_text()
        assert files(here / "art") == {"settings.json", "losses.csv", "report.html"}


def test_the_same_command_again_tells_of_the_run_that_was_stopped(
    here,
    pictures,
    tiny,
    stopped_at,
    monkeypatch,
    capsys,
):
    monkeypatch.setattr("nst.run.folder.OUTPUT", here / "output")
    stopped_at(2, [*pictures, *SMALL])
    assert neural_art.main([*pictures, *SMALL]) == 0
    told = capsys.readouterr().err.splitlines()[0]
    folder = here / "output" / "content_style"
    assert told.endswith(f"--resume {folder} goes on with it; this one is content_style_2")
    assert neural_art.main([*pictures, *SMALL, "--seed", "1"]) == 0
    assert "--resume" not in capsys.readouterr().err


def test_a_run_stopped_again_and_again_is_straight_through(here, pictures, tiny, stopped_at):
    assert neural_art.main([*pictures, *SMALL, "-o", "whole.png"]) == 0
    stopped_at(1, [*pictures, *SMALL, "-o", "art.png"])
    for number in range(2, STEPS + 1):
        stopped_at(number, ["--resume", "art", "--snapshot-every", "1", "--checkpoint-every", "0.001"])
    assert neural_art.main(["--resume", "art", "--threads", "0"]) == 0
    np.testing.assert_array_equal(read_image(here / "art.png"), read_image(here / "whole.png"))


def test_lbfgs_does_the_steps_that_are_left_and_says_that_it_forgets(here, pictures, tiny, stopped_at, capsys):
    words = [*pictures, *SMALL, "--optimizer", "lbfgs", "--steps", "4"]
    stopped_at(3, [*words, "-o", "art.png"])
    assert neural_art.main(["--resume", "art"]) == 0
    assert "neural_art: art: L-BFGS starts to remember anew at the picture there" in capsys.readouterr().err
    sides = [line.split(",")[1] for line in (here / "art" / "losses.csv").read_text().splitlines()[1:]]
    assert sides.count("32") >= 8
    assert 4 <= sides.count("64") < 8


def test_inputs_may_have_moved_but_must_be_the_same(here, pictures, tiny, stopped_at, refused):
    stopped_at(2, [*pictures, *SMALL, "-o", "art.png"])
    (here / "elsewhere").mkdir()
    for name in ("content.png", "style.png"):
        shutil.move(here / name, here / "elsewhere" / name)
    assert "its content content.png is not beside it" in refused(["--resume", "art"])
    moved = ["elsewhere/content.png", "elsewhere/style.png"]
    message = "elsewhere/style.png: is not the content that art/checkpoint.npz was made from: another SHA-256"
    assert message in refused(["--resume", "art", *moved[::-1]])
    assert "style: got 2 for 1 of art" in refused(["--resume", "art", *moved, moved[1]])
    assert neural_art.main(["--resume", "art", *moved]) == 0
    stopped_at(2, [*moved, *SMALL, "-o", "art.png", "--overwrite"])
    shutil.copy(moved[0], moved[1])
    assert "elsewhere/style.png: is not the style that art/checkpoint.npz" in refused(["--resume", "art"])


def test_inputs_are_found_where_they_were_and_two_of_one_name_are_told_apart(here, pictures, tiny, stopped_at):
    for name in ("photos", "paintings", "results"):
        (here / name).mkdir()
    shutil.move(here / "content.png", here / "photos" / "a.png")
    shutil.move(here / "style.png", here / "paintings" / "a.png")
    inputs = [str(here / "photos" / "a.png"), str(here / "paintings" / "a.png")]
    assert neural_art.main([*inputs, *SMALL, "-o", "results/whole.jpg"]) == 0
    line = stopped_at(3, [*inputs, *SMALL, "-o", "results/art 1.jpg"])
    assert line.endswith("python neural_art.py --resume 'results/art 1'")
    assert neural_art.main(["--resume", "results/art 1"]) == 0
    np.testing.assert_array_equal(read_image(here / "results" / "art 1.jpg"), read_image(here / "results/whole.jpg"))


def test_other_weights_are_refused(here, pictures, tiny, stopped_at, refused, monkeypatch, tiny_weights):
    stopped_at(2, [*pictures, *SMALL, "-o", "art.png"])
    other = {**tiny_weights, "conv1_1": tuple(-part for part in tiny_weights["conv1_1"])}
    monkeypatch.setattr("nst.network.weights.load_weights", lambda _source=None: other)
    forget_network()
    assert "art: was begun with other weights" in refused(["--resume", "art"])


def test_other_versions_are_warned_of(here, pictures, tiny, stopped_at, capsys, monkeypatch):
    stopped_at(2, [*pictures, *SMALL, "-o", "art.png"])
    monkeypatch.setattr("nst.__version__", "9.9")
    assert neural_art.main(["--resume", "art"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("neural_art:")]
    assert len(lines) == 1
    assert "here 9.9: pixels may differ" in lines[0]


def test_a_damaged_checkpoint_falls_back_and_says_so(here, pictures, tiny, stopped_at, capsys):
    assert neural_art.main([*pictures, *SMALL, "-o", "whole.png"]) == 0
    stopped_at(4, [*pictures, *SMALL, "-o", "art.png", "--checkpoint-every", "0.000001"])
    (here / "art" / "checkpoint.npz").write_bytes(b"half")
    assert neural_art.main(["--resume", "art"]) == 0
    assert "art/checkpoint.npz: is damaged; goes on from checkpoint_before.npz" in capsys.readouterr().err
    np.testing.assert_array_equal(read_image(here / "art.png"), read_image(here / "whole.png"))


@pytest.mark.parametrize(
    "words", [["--steps", "3"], ["--no-balance"], ["-o", "a.png"], ["--overwrite"], ["--preset", "best"]], ids=" ".join
)
def test_what_is_settled_is_refused(here, pictures, tiny, stopped_at, refused, words):
    stopped_at(1, [*pictures, *SMALL, "-o", "art.png"])
    assert "is settled by --resume art; give only --threads, --max-memory" in refused(["--resume", "art", *words])


def test_a_stopped_run_is_not_begun_anew_by_mistake(here, pictures, tiny, stopped_at, refused):
    stopped_at(1, [*pictures, *SMALL, "-o", "art.png"])
    (here / "art.png").unlink()
    assert "give --resume art to go on with it, --overwrite" in refused([*pictures, *SMALL, "-o", "art.png"])


def test_no_checkpoints_with_0(here, pictures, tiny, stopped_at, refused):
    line = stopped_at(1, [*pictures, *SMALL, "-o", "art.png", "--checkpoint-every", "0"])
    assert line == "neural_art: stopped; art.png is the picture so far"
    assert "holds no checkpoint.npz" in refused(["--resume", "art"])


def test_a_checkpoint_is_made_of_what_the_record_says(here, pictures, tiny, stopped_at):
    stopped_at(1, [*pictures, *SMALL, "-o", "art.png"])
    with np.load(here / "art" / "checkpoint.npz", allow_pickle=False) as arrays:
        content = json.loads(str(arrays["json"]))
    record = json.loads((here / "art" / "settings.json").read_text())
    ending = {"seconds", "state", "steps", "steps_planned"}
    assert content["record"] == {name: value for name, value in record.items() if name not in ending}
