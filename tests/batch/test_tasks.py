"""The pictures that rows, folders and patterns ask for."""

from pathlib import Path

import pytest
from plans import files, names, planned

from nst.batch.plan import plan_text


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))


def test_a_folder_a_pattern_and_each_style():
    files("photos/b.jpg", "photos/a.png", "photos/notes.txt", "photos/deep/c.jpg", "s1.jpg", "styles/s2.jpg")
    plan = planned("photos", "s1.jpg", "styles")
    assert names(plan) == ["a_s1_s2.png", "b_s1_s2.png"]
    assert plan.folder == Path("output/photos_s1_s2")
    plan = planned("photos/**/*", "s1.jpg", "styles", "--each-style")
    assert names(plan) == [f"{photo}_{style}.png" for photo in ("a", "b", "deep/c") for style in ("s1", "s2")]
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
    differs = {"steps": 2, "coarse_steps": 1.5, "rotations": 1, "largest_scale": 256, "learning_rate": 9.0}
    assert plan.tasks[0].differs == differs
    assert "steps=7" in plan_text(plan)


def test_a_file_that_is_not_there_fails_its_row_alone():
    Path("jobs.csv").write_text(
        "content,style,init\nnone.jpg,stone.jpg,\ncat.jpg,none.jpg,\ncat.jpg,stone.jpg,no.png\n"
    )
    assert names(planned("--batch", "jobs.csv")) == ["none_stone.png", "cat_none.png", "cat_stone.png"]


def test_results_have_names_that_every_system_takes():
    files("photos/what?.jpg")
    plan = planned("photos", "stone.jpg", "--sweep", "style-layers=conv1_1:2,conv2_1:2")
    assert names(plan) == [f"what__stone_style-layers=conv{number}_1_2.png" for number in (1, 2)]
