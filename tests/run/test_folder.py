"""A run has a folder and a name of its own."""

from pathlib import Path

import pytest

from nst.run.folder import RunFolder, first_free, reserved, result_name


@pytest.mark.parametrize(
    ("content", "name"),
    [("a/cat.jpg", "cat_s"), ("a/shot_%04d.png", "shot_s"), ("a/%d.png", "a_s"), ("a/100%.png", "100%_s")],
)
def test_numbered_pictures_give_a_result_the_name_before_their_number_or_of_their_folder(content, name):
    assert result_name({"content": (Path(content),), "style": (Path("s.png"),)}) == name


def test_first_free_counts_past_files_and_folders(tmp_path):
    path = tmp_path / "a.png"
    assert first_free(path) == path
    (tmp_path / "a").mkdir()
    assert first_free(path).name == "a_2.png"
    (tmp_path / "a_2.png").write_text("")
    assert first_free(path).name == "a_3.png"


def test_a_reserved_name_is_no_other_runs(tmp_path):
    names = [reserved(tmp_path / "a.png").output.name for _ in range(3)]
    assert names == ["a.png", "a_2.png", "a_3.png"]
    assert (tmp_path / "a_3").is_dir()


def test_a_name_taken_between_look_and_grasp_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    found = iter([tmp_path / "a.png", tmp_path / "a_2.png"])
    monkeypatch.setattr("nst.run.folder.first_free", lambda _: next(found))
    assert reserved(tmp_path / "a.png").output.name == "a_2.png"


def test_leftovers_of_this_run_are_removed_and_no_others(tmp_path):
    (tmp_path / "a").mkdir()
    ours = [".a.png.12.part", "a/.step.png.12.part"]
    others = [".b.png.12.part", ".a.pn.12.part", "a/step.png", "a.png"]
    for name in ours + others:
        (tmp_path / name).write_text("")
    RunFolder(tmp_path / "a.png").remove_leftovers()
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(others)


def test_a_folder_takes_not_the_name_of_the_result_of_a_run_at_work(tmp_path):
    reserved(tmp_path / "a.png")
    assert reserved(tmp_path / "a.png.png").output.name == "a.png_2.png"
