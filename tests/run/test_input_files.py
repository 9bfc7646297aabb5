"""The pictures of a run: found by their names or through a pipe, each read and hashed once."""

import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from PIL import Image, features

import neural_art
from nst.errors import UserError
from nst.pictures.formats import readable_suffixes
from nst.pictures.picture_files import read_image, write_picture
from nst.preset_files import make_settings
from nst.run.input_files import (
    find_contents,
    find_picture,
    find_pictures,
    folder_within,
    left_out,
    read_inputs,
    stands_for_many,
)
from nst.run.request import Request


def test_a_folder_stands_for_its_pictures_in_every_format_that_is_read(tmp_path):
    known = {".avif": "avif", ".jp2": "jpg_2000", ".jpg": "jpg", ".PNG": "zlib"}
    names = [f"picture{suffix}" for suffix, feature in known.items() if features.check(feature)]
    for name in names:
        Image.new("RGB", (6, 5)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder.png").mkdir()
    assert len(names) >= 2
    assert sorted(path.name for path in find_contents(tmp_path)) == sorted(names)


def test_hidden_files_are_no_pictures_and_what_is_left_out_is_known(tmp_path):
    for name in ("a.jpg", "b.jfif", "._a.jpg", ".DS_Store", "Thumbs.db", "c.psd", "d.svg", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_contents(tmp_path)] == ["a.jpg", "b.jfif"]
    assert [path.name for path in left_out(tmp_path)] == ["c.psd", "d.svg"]


def test_folders_within_a_folder_count_if_wanted_and_each_once(tmp_path):
    for name in ("one/a.jpg", "two/deep/a.jpg", "two/.hidden/b.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "two" / "loop").symlink_to(tmp_path)
    with pytest.raises(UserError, match=r"is a folder without pictures.*or give --recursive for the folders within it"):
        find_contents(tmp_path)
    found = find_contents(tmp_path, recursive=True)
    assert [str(path.relative_to(tmp_path)) for path in found] == ["one/a.jpg", "two/deep/a.jpg"]
    assert [str(folder_within(tmp_path, path)) for path in found] == ["one", "two/deep"]
    pattern = tmp_path / "**" / "*.jpg"
    assert find_contents(pattern) == found
    assert [str(folder_within(pattern, path)) for path in found] == ["one", "two/deep"]
    assert str(folder_within(tmp_path / "*" / "a.jpg", found[0])) == "."


def test_a_name_that_no_file_can_have_is_refused_in_words(tmp_path):
    name = tmp_path / ("x" * 300 + ".jpg")
    assert not stands_for_many(name)
    with pytest.raises(UserError, match="cannot be read: File name too long"):
        find_picture(name)


def test_a_folder_that_may_not_be_entered_is_refused_in_words(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)
    assert not stands_for_many(tmp_path / "a.jpg")
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        find_picture(tmp_path / "a.jpg")


def test_formats_that_the_program_does_not_read_are_no_pictures():
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".jfif"} <= readable_suffixes()
    assert not {".eps", ".pdf", ".txt", ".svg", ""} & readable_suffixes()


@pytest.fixture
def pipe(tmp_path):
    """Return a function that makes a pipe with some bytes in it, which can be read once, and returns its path."""
    threads = []

    def make(payload, name="pipe"):
        path = tmp_path / name
        os.mkfifo(path)
        threads.append(threading.Thread(target=path.write_bytes, args=(payload,), daemon=True))
        threads[-1].start()
        return path

    yield make
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_pictures_come_through_pipes(here, pictures, pipe, tiny):
    words = [*SMALL, "-o", "whole.png"]
    assert neural_art.main([*pictures, *words]) == 0
    content, style = (str(pipe(Path(path).read_bytes(), f"{k}.pipe")) for k, path in enumerate(pictures))
    assert neural_art.main([content, style, *SMALL, "-o", "piped.png"]) == 0
    np.testing.assert_array_equal(read_image(here / "piped.png"), read_image(here / "whole.png"))


def test_a_pipe_serves_for_a_whole_batch(here, pictures, pipe, tiny, capsys):
    """The photo is read once and painted twice."""
    content = str(pipe(Path(pictures[0]).read_bytes()))
    words = [content, pictures[1], "--sweep", "seed=1,2", *SMALL, "-o", "out"]
    assert neural_art.main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_settings_come_through_a_pipe(here, pictures, pipe, tiny):
    config = pipe(b"size = 48\nsmallest-scale = 48\nsteps = 1\n")
    assert neural_art.main([*pictures, "--config", str(config), "-o", "art.png"]) == 0
    assert max(read_image(here / "art.png").shape[:2]) == 48


def test_each_file_is_opened_once(tmp_path, pictures, monkeypatch):
    """A picture that serves as photo, style, first picture and mask is read and hashed once."""
    opened, real = [], Path.read_bytes
    photo = Path(pictures[0])
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path) or real(path))
    settings = make_settings(overrides={"init": str(photo), "content_mask": str(photo)})
    request = find_pictures(Request({"content": (photo,), "style": (photo, Path(pictures[1]))}, settings))
    _, inputs, digests, _ = read_inputs(request)
    assert opened == [photo, Path(pictures[1])]
    assert (digests["content"], digests["init"], digests["content_mask"]) == ((digest,),) * 3
    np.testing.assert_array_equal(inputs.start, inputs.content)


def test_a_run_reads_each_file_once(here, pictures, tiny, monkeypatch):
    opened, real = [], Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *words, **more: opened.append(str(path)) or real(path, *words, **more)
    )
    (here / "art.toml").write_bytes(b"seed = 3\n")
    opened.clear()
    assert neural_art.main([*pictures, *SMALL, "--config", "art.toml", "-o", "art.png"]) == 0
    counts = [opened.count(name) for name in ("art.toml", *pictures)]
    assert counts == [1, 1, 1]


def test_what_is_transparent_in_a_style_or_black_in_its_source_mask_is_not_shown(here, content):
    levels = np.zeros((20, 30, 4), np.uint8)
    levels[..., :3] = 90
    levels[:, :10, 3] = 255
    Image.fromarray(levels).save("style.png")
    Image.fromarray(np.repeat((np.arange(30) < 20)[None] * np.uint8(255), 20, axis=0)).save("mask.png")
    write_picture(Path("content.png"), content)
    shown = {}
    for style, mask in (("style.png", None), ("content.png", "content.png"), ("style.png", "mask.png")):
        settings = make_settings(overrides={"source_mask": [mask]} if mask else {})
        request = Request({"content": (Path("content.png"),), "style": (Path(style),)}, settings)
        _, inputs, digests, _ = read_inputs(find_pictures(request))
        shown[style, mask] = inputs.shown[0]
        assert ("source_mask" in digests) == bool(mask)
    assert shown["style.png", None].mean() == pytest.approx(1 / 3)
    np.testing.assert_allclose(shown["content.png", "content.png"], content.mean(axis=-1), atol=0.01)
    assert shown["style.png", "mask.png"].mean() == pytest.approx(1 / 3)
    assert inputs.styles[0].max() < 0.5  # continued, not white


def test_a_source_mask_has_the_shape_of_its_style(here, pictures, refused):
    content, style = pictures
    assert "does not fit on the style of 36x48 px" in refused([content, style, "--source-mask", content])
    assert "--source-mask: got 2 for 1 style image" in refused([content, style, "--source-mask", style, style])
