"""Clips are known by their names, and the frames of a clip by their numbers."""

from pathlib import Path

import pytest

from nst.run.clip_names import is_clip_name, numbered_files, stem_of


@pytest.mark.parametrize(
    ("name", "is_clip", "stem"),
    [
        ("a/clip.MP4", True, "clip"),
        ("shots/%04d.png", True, "shots"),
        ("shots/take_%d.jpg", True, "take"),
        ("cat.png", False, "cat"),
        ("100%.png", False, "100%"),
    ],
)
def test_a_clip_is_known_by_its_name(name, is_clip, stem):
    assert (is_clip_name(Path(name)), stem_of(Path(name))) == (is_clip, stem)


def test_a_file_that_is_named_like_a_pattern_is_a_file(tmp_path):
    (tmp_path / "50%dark.png").touch()
    assert not is_clip_name(tmp_path / "50%dark.png") and is_clip_name(tmp_path / "40%dark.png")


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("f2.png", "f10.png", "f1.png", "f.png", "g3.png", "f3.jpg", "f4x.png"):
        (tmp_path / name).touch()
    assert [path.name for path in numbered_files(tmp_path / "f%d.png")] == ["f1.png", "f2.png", "f10.png"]
    assert numbered_files(tmp_path / "none" / "%d.png") == []
