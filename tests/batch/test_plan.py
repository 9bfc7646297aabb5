"""The plan of a batch: which pictures, under which names, and what of it is done. No network, nothing decoded."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PROJECT

import neural_art
from nst.batch.manifest import NAME, SETTLED_NS
from nst.batch.plan import is_batch, plan_batch, plan_text
from nst.command.config import read_files
from nst.errors import UserError

HOSTILE = ["a b.jpg", "it's.jpg", '"q".jpg', "-x.jpg", "--size.jpg", "ü☃.jpg", "new\nline.jpg", "<script>.jpg", "*.jpg"]
HOSTILE += ["$(touch x).jpg", "CAT.jpg", "cat.jpg", "cat.jpeg", "%s.jpg", "a" * 250 + ".jpg"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))


def files(*names):
    """Make a file of each name, which planning never decodes; return the names."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())
    return names


def planned(*words):
    return plan_batch(read_files(vars(neural_art.make_parser().parse_args(words))))


def names(plan):
    return [task.name for task in plan.tasks]


def done(plan, *numbers):
    """Note pictures of a plan as done, with a file as the result of each."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for task in plan.tasks:
        if not numbers or task.number in numbers:
            facts = {"wanted": task.wanted, "identity": task.identity, "key": task.key}
            plan.manifest.note(task.name, state="done", seconds=1.0, error=None, **facts)
            plan.result(task).write_bytes(b"picture")


def states(plan):
    return [task.state for task in plan.tasks]


def asked(*words):
    return is_batch(read_files(vars(neural_art.make_parser().parse_args(words))))


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


def test_a_folder_a_pattern_and_each_style():
    files("photos/b.jpg", "photos/a.png", "photos/notes.txt", "photos/deep/c.jpg", "s1.jpg", "styles/s2.jpg")
    plan = planned("photos", "s1.jpg", "styles")
    assert names(plan) == ["a_s1_s2.png", "b_s1_s2.png"]
    assert plan.folder == Path("output/photos_s1_s2")
    plan = planned("photos/**/*", "s1.jpg", "styles", "--each-style")
    assert names(plan) == [f"{photo}_{style}.png" for photo in "abc" for style in ("s1", "s2")]
    assert planned("cat.jpg", "s1.jpg", "--sweep", "steps=1,2", "-o", "x").folder == Path("x")


def test_a_row_wins_over_flags_which_win_over_a_file(tmp_path):
    Path("art.toml").write_text(
        "size = 100\nsteps = 7\nseed = 5\npreset = 'best'\noutput = 'made'\nstyle = 'stone.jpg'"
    )
    Path("jobs.csv").write_text("content,steps,preset,output\ncat.jpg,2,fast,sub/a.jpg\ncastle.jpg,,,\n")
    plan = planned("--batch", "jobs.csv", "--config", "art.toml", "--size", "200")
    first, second = (task.request.settings for task in plan.tasks)
    assert (first.size, first.steps, first.seed) == (200, 2, 5)
    assert (second.size, second.steps, second.seed) == (200, 7, 5)
    assert (plan.folder, names(plan)) == (Path("made"), ["sub/a.jpg", "castle_stone.png"])
    assert plan.tasks[0].differs == {"steps": 2}
    assert "steps=7" in plan_text(plan)


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


def test_hostile_names_are_distinct_and_the_same_again():
    files(*(f"{folder}/{name}" for folder in ("one", "two") for name in HOSTILE))
    plan = planned("*/*", "stone.jpg", "-o", "out")
    assert len(plan.tasks) == 2 * len(HOSTILE)
    assert len({name.casefold() for name in names(plan)}) == 2 * len(HOSTILE)
    assert all("\n" not in name and "/" not in name and len(name.encode()) < 200 for name in names(plan))
    assert len(plan_text(plan).splitlines()) == len(plan.tasks) + 2
    done(plan, *range(1, len(plan.tasks), 2))
    again = planned("*/*", "stone.jpg", "-o", "out")
    assert names(again) == names(plan)
    assert states(again)[:2] == ["done", "to do"]
    done(plan)
    alone = planned("two", "stone.jpg", "-o", "out")  # other numbers, the same names for the same pictures
    before = {task.request.paths["content"]: task.name for task in plan.tasks}
    assert names(alone) == [before[task.request.paths["content"]] for task in alone.tasks]


def test_results_among_the_photos_are_no_photos():
    files("photos/a.jpg", "photos/b.jpg")
    done(planned("photos", "stone.jpg", "-o", "photos"))
    files("photos/a_stone/step_00025_64px.png")
    plan = planned("photos/**/*", "stone.jpg", "-o", "photos")
    assert (names(plan), states(plan)) == (["a_stone.png", "b_stone.png"], ["done", "done"])


def test_rows_with_hostile_names(tmp_path):
    files(*HOSTILE)
    Path("jobs.jsonl").write_text("".join(json.dumps({"content": name, "style": name}) + "\n" for name in HOSTILE))
    assert [task.request.paths["content"][0].name for task in planned("--batch", "jobs.jsonl").tasks] == HOSTILE


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


def test_a_batch_of_other_pictures_in_the_same_folder_leaves_results_alone():
    files("one/cat.jpg", "two/cat.jpg")
    done(planned("one", "stone.jpg", "-o", "out"))
    Path("out/notes_stone.png").write_bytes(b"mine")
    files("two/notes.jpg")
    assert names(planned("two", "stone.jpg", "-o", "out")) == ["cat_stone_2.png", "notes_stone_2.png"]


def test_the_folder_made_by_the_program_is_a_batch_or_new():
    files("photos/a.jpg", "output/photos_stone/settings.json")
    plan = planned("photos", "stone.jpg")
    assert plan.folder == Path("output/photos_stone_2")
    done(plan)
    assert planned("photos", "stone.jpg").folder == Path("output/photos_stone_2")


def test_one_name_for_two_pictures_is_refused(refused):
    Path("jobs.csv").write_text("content,style,output\ncat.jpg,stone.jpg,A.png\ncastle.jpg,stone.jpg,a.jpg\n")
    with pytest.raises(UserError, match=r"line 3: output a.jpg: is of two pictures, 1 and 2"):
        planned("--batch", "jobs.csv")


def test_a_file_that_is_not_there_fails_its_row_alone():
    Path("jobs.csv").write_text(
        "content,style,init\nnone.jpg,stone.jpg,\ncat.jpg,none.jpg,\ncat.jpg,stone.jpg,no.png\n"
    )
    assert names(planned("--batch", "jobs.csv")) == ["none_stone.png", "cat_none.png", "cat_stone.png"]


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
    assert str(Path(name).absolute()) in (plan.folder / NAME).read_text()
