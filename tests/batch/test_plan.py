"""The plan of a batch: which pictures, under which names, and what of it is done. No network, nothing decoded."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PROJECT
from plans import asked, done, files, names, planned, states

import neural_art
from nst.batch.manifest import NAME, SETTLED_NS, hashed_name
from nst.batch.plan import is_batch
from nst.command.config import read_files
from nst.errors import UserError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))


def test_what_makes_a_batch_of_a_call():
    files("photos/cat.jpg", "[1].jpg", "s.jpg")
    Path("art.toml").write_text("content = 'photos'")
    for words in (["photos", "s.jpg"], ["photos/*.jpg", "s.jpg"], ["--config", "art.toml"], ["--batch", "x.csv"]):
        assert asked(*words)
    assert asked("cat.jpg", "s.jpg", "--each-style")
    assert asked("cat.jpg", "s.jpg", "--sweep", "steps=1,2")
    for words in (["[1].jpg", "s.jpg"], ["cat.jpg", "s.jpg"], ["none.jpg", "s.jpg"], []):
        assert not asked(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cat.jpg", "stone.jpg", "--list"], "--list: is for many pictures"),
        (["cat.jpg", "stone.jpg", "--workers", "2"], "--workers: is for many pictures"),
        (["--resume", "output/x", "--batch", "x.csv"], "--batch: --resume goes on with one picture"),
        (["empty", "stone.jpg"], "empty: is a folder without pictures"),
        (["*.jpg", "stone.jpg"], "*.jpg: no picture has such a name"),
        (["photos", "none.jpg"], "none.jpg: no such file"),
        (["photos"], "the following arguments are required: STYLE"),
        (["photos", "stone.jpg", "-o", "art.png"], "art.png: is the name of one picture"),
        (["photos", "stone.jpg", "--style-weights", "1", "2"], "--style-weights: got 2 for 1 style image"),
        (["--batch", "jobs.csv"], "jobs.csv: line 2: --style-weights: got 2 for 1 style image"),
        (["--batch", "jobs.csv", "--sweep", "style-weights=1"], "jobs.csv: line 3: c.jgp: cannot write .jgp"),
    ],
)
def test_mistakes_are_refused_before_anything_runs(words, message):
    files("photos/cat.jpg")
    Path("empty").mkdir()
    Path("jobs.csv").write_text("content,style,style-weights,output\ncat.jpg,stone.jpg,1 2,\na.jpg,stone.jpg,,c.jgp\n")
    with pytest.raises(UserError) as error:
        is_batch(read_files(vars(neural_art.make_parser().parse_args(words))))
        planned(*words)
    assert message in str(error.value)


def test_a_sweep_names_its_values_and_shares_a_sheet():
    files("photos/a.jpg", "photos/b.jpg")
    plan = planned(
        "photos", "stone.jpg", "--sweep", "style-weight=20,40", "--sweep", "style-layers=conv1_1,conv1_1 conv2_1"
    )
    assert names(plan)[:3] == [
        "a_stone_style-weight=20_style-layers=conv1_1.png",
        "b_stone_style-weight=20_style-layers=conv1_1.png",
        "a_stone_style-weight=20_style-layers=conv1_1 conv2_1.png",
    ]
    (path, sheet), (other, _) = plan.sheets()
    assert (path.name, other.name) == ("a_stone_sweep.png", "b_stone_sweep.png")
    assert (sheet.rows, sheet.columns) == (
        ["style-weight 20", "style-weight 40"],
        ["style-layers conv1_1", "style-layers conv1_1 conv2_1"],
    )
    assert sheet.cells == dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)])
    done(plan, 1)
    assert planned("photos", "stone.jpg", *["--sweep"], "style-weight=20,40").sheets()[0][1].rows == [""]
    assert plan.sheets()[0][1].cells[0, 0] == plan.result(plan.tasks[0])


def test_results_among_the_photos_are_no_photos():
    files("photos/a.jpg", "photos/b.jpg")
    done(planned("photos", "stone.jpg", "-o", "photos"))
    files("photos/a_stone/step_00025_64px.png")
    plan = planned("photos/**/*", "stone.jpg", "-o", "photos")
    assert (names(plan), states(plan)) == (["a_stone.png", "b_stone.png"], ["done", "done"])


def test_states_follow_files_settings_and_results():
    files("photos/a.jpg", "photos/b.jpg", "photos/c.jpg")
    words = ["photos", "stone.jpg"]
    plan = planned(*words)
    assert states(plan) == ["to do"] * 3
    done(plan)
    assert states(planned(*words)) == ["done"] * 3
    assert states(planned(*words, "--threads", "1", "--plot", "--snapshot-every", "3")) == ["done"] * 3
    assert states(planned(*words, "--force")) == ["to do"] * 3
    assert states(planned(*words, "--steps", "3")) == ["changed"] * 3
    plan.result(plan.tasks[0]).unlink()
    files("photos/b.jpg")
    Path("photos/b.jpg").write_bytes(b"another")
    again = planned(*words)
    assert names(again) == names(plan)
    assert states(again) == ["to do", "changed", "done"]
    assert [again.status(task).state for task in again.tasks] == ["to do", "to do", "done"]
    plan.manifest.note(plan.tasks[2].name, state="failed", error="why")
    entry = planned(*words).status(plan.tasks[2])
    assert (entry.state, entry.error) == ("failed", "why")


def test_a_thousand_rows_are_planned_in_a_moment():
    rows = [f"photos/{number}.jpg" for number in range(1000)]
    files(*rows)
    Path("jobs.csv").write_text("content,style,steps\n" + "".join(f"{row},stone.jpg,2\n" for row in rows))
    began = time.monotonic()
    plan = planned("--batch", "jobs.csv")
    assert time.monotonic() - began < 2
    assert len(set(names(plan))) == 1000


def test_a_finished_batch_and_a_list_need_no_tensorflow(tmp_path):
    files("photos/a.jpg")
    words = ["photos", "stone.jpg", "-o", "out"]
    done(planned(*words))
    code = "import sys, neural_art; neural_art.main(sys.argv[1:]); print('tensorflow' in sys.modules)"
    for more in ([], ["--list"], ["--workers", "2"]):
        run = subprocess.run(
            [sys.executable, "-c", code, *words, *more],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(PROJECT)},
        )
        assert run.stdout.splitlines()[-1] == "False"
        assert "a_stone.png" in run.stdout


def test_hashes_are_kept_between_runs(tmp_path):
    (name,) = files("photos/a.jpg")
    long_ago = time.time_ns() - 2 * SETTLED_NS
    os.utime(name, ns=(long_ago, long_ago))
    plan = planned("photos", "stone.jpg", "-o", "out")
    plan.folder.mkdir()
    plan.manifest.keep_hashes()
    text = (plan.folder / NAME).read_text()
    assert hashed_name(Path(name)) in text
    assert str(Path.cwd()) not in text
