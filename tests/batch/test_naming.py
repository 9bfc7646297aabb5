"""The names of a batch's results, and of its folder."""

import json
from pathlib import Path

import pytest
from plans import done, files, names, planned, states

from nst.batch.plan import plan_text
from nst.errors import UserError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))


HOSTILE = ["a b.jpg", "it's.jpg", '"q".jpg', "-x.jpg", "--size.jpg", "ü☃.jpg", "new\nline.jpg", "<script>.jpg", "*.jpg"]
HOSTILE += ["$(touch x).jpg", "CAT.jpg", "cat.jpg", "cat.jpeg", "%s.jpg", "a" * 250 + ".jpg"]


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


def test_rows_with_hostile_names(tmp_path):
    files(*HOSTILE)
    Path("jobs.jsonl").write_text("".join(json.dumps({"content": name, "style": name}) + "\n" for name in HOSTILE))
    assert [task.request.paths["content"][0].name for task in planned("--batch", "jobs.jsonl").tasks] == HOSTILE


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


def test_one_name_for_two_pictures_is_refused():
    Path("jobs.csv").write_text("content,style,output\ncat.jpg,stone.jpg,A.png\ncastle.jpg,stone.jpg,a.jpg\n")
    with pytest.raises(UserError, match=r"line 3: output a.jpg: is of two pictures, 1 and 2"):
        planned("--batch", "jobs.csv")


def test_no_result_has_the_name_of_the_folder_of_another():
    files("photos/a.jpg", "styles/b.jpg", "styles/b.png.jpg")
    found = names(planned("photos", "styles", "--each-style", "-o", "out"))
    assert found == ["a_b.png", "a_b.png_2.png"]
    rows = ["content,style,output", "cat.jpg,stone.jpg,x.png", "castle.jpg,stone.jpg,x.png.png"]
    Path("jobs.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match=r"line 3: output x\.png\.png: is of two pictures, 1 and 2"):
        planned("--batch", "jobs.csv")


def test_results_lie_in_folders_as_the_photos_do():
    files("photos/one/a.jpg", "photos/two/a.jpg", "photos/a.jpg")
    wanted = ["a_stone.png", "one/a_stone.png", "two/a_stone.png"]
    plan = planned("photos", "stone.jpg", "--recursive", "-o", "photos/out")
    assert names(plan) == wanted
    for name in wanted:
        (plan.folder / name).parent.mkdir(parents=True, exist_ok=True)
    done(plan)
    again = planned("photos", "stone.jpg", "--recursive", "-o", "photos/out")  # whose results are no photos
    assert names(again) == wanted
    assert states(again) == ["done"] * 3
    assert names(planned("photos/**/*.jpg", "stone.jpg", "-o", "other")) == wanted


def test_a_style_that_is_not_there_fails_its_rows_alone():
    files("cat.jpg")
    Path("jobs.csv").write_text("content,steps\ncat.jpg,2\n")
    Path("style.toml").write_text('style = ["none.jpg"]')
    plan = planned("--batch", "jobs.csv", "--config", "style.toml")
    assert "none.jpg: no such file" in plan.tasks[0].source.error


def test_what_a_folder_leaves_out_is_told():
    files("photos/a.jpg", "photos/b.psd", "photos/c.svg", "photos/notes.txt", "styles/x.jpg", "styles/y.exr")
    plan = planned("photos", "styles", "-o", "out")
    assert plan.notes == (
        "photos: left out, as their formats are not read: b.psd, c.svg",
        "styles: left out, as their formats are not read: y.exr",
    )
    assert planned("photos/*.jpg", "stone.jpg", "-o", "out").notes == ()


def test_a_manifest_leads_to_no_file_outside_the_folder():
    files("photos/a.jpg", "mine.png")
    plan = planned("photos", "stone.jpg", "-o", "out")
    task = plan.tasks[0]
    plan.folder.mkdir()
    plan.manifest.note("../mine.png", wanted=task.wanted, identity=task.identity, key=task.key, state="done")
    again = planned("photos", "stone.jpg", "-o", "out")
    assert (names(again), states(again)) == (["a_stone.png"], ["to do"])


def test_a_result_without_bytes_is_not_done():
    files("photos/a.jpg")
    plan = planned("photos", "stone.jpg", "-o", "out")
    done(plan)
    assert states(planned("photos", "stone.jpg", "-o", "out")) == ["done"]
    plan.result(plan.tasks[0]).write_bytes(b"")
    again = planned("photos", "stone.jpg", "-o", "out")
    assert (states(again), [status.state for status in again.statuses()]) == (["to do"], ["to do"])
