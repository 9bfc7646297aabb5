"""The record of a run: read from a file or a picture, and its inputs found again."""

from pathlib import Path

import pytest

import nst
from nst.errors import UserError
from nst.run.record import check_recorded, find_input, network_warnings, read_record, version_warnings
from nst.system.atomic_files import file_sha256

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_a_record_in_a_picture_is_read_from_its_comment(record, tmp_path, monkeypatch):
    text = record().read_text()
    (tmp_path / "art.png").write_bytes(b"picture")
    monkeypatch.setattr("nst.pictures.picture_files.read_comment", lambda path: text, raising=False)
    assert read_record(tmp_path / "art.png").files == {"content": ("cat.png",), "style": ("stone.png",)}
    for nothing in (None, "", " \n"):
        monkeypatch.setattr(
            "nst.pictures.picture_files.read_comment", lambda path, nothing=nothing: nothing, raising=False
        )
        with pytest.raises(UserError, match=r"art\.png: holds no record"):
            read_record(tmp_path / "art.png")


def test_inputs_are_looked_up_beside_the_result_then_here_then_among_the_samples(record, tmp_path, monkeypatch):
    read = read_record(record(sha256={}))
    monkeypatch.setattr("nst.run.input_files.SAMPLES", tmp_path / "images")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.png").write_bytes(b"")
    (tmp_path / "here" / "cat.png").write_bytes(b"")
    for place in (tmp_path / "cat.png", "cat.png", tmp_path / "images" / "cat.png"):
        assert find_input(read, "content", 0) == Path(place)
        (tmp_path / "here" / place).unlink()
    with pytest.raises(
        UserError, match=r"its content cat\.png is not beside it, here or among the samples; give CONTENT"
    ):
        find_input(read, "content", 0)


def test_an_input_with_another_hash_is_refused_unless_the_same_lies_elsewhere(record, tmp_path):
    read = read_record(record())
    (tmp_path / "stone.png").write_bytes(b"another")
    (path,) = [find_input(read, "style", 0)]
    with pytest.raises(UserError, match=r"stone\.png: is not the style .* another SHA-256; give STYLE"):
        check_recorded(read, "style", (path,), (file_sha256(path),))
    (tmp_path / "here" / "stone.png").write_bytes(b"stone.png")
    path = find_input(read, "style", 0)
    assert path == Path("stone.png")
    check_recorded(read, "style", (path,), (file_sha256(path),))


def test_an_input_whose_name_another_has_too_is_not_guessed(record):
    files = {"content": ["cat.png"], "style": ["cat.png"]}
    read = read_record(record(files=files, sha256={"stone.png": "0"}))
    with pytest.raises(UserError, match=r"more than one of its inputs is called cat\.png; give STYLE"):
        find_input(read, "style", 0)


def test_words_in_a_record_are_no_files(record):
    read = read_record(record(settings={"init": "style", "weights": "imagenet"}))
    assert read.files == {"content": ("cat.png",), "style": ("stone.png",)}


def test_a_record_leads_to_no_other_folder(record):
    files = {"content": ["/etc/passwd"], "style": [".."]}
    read = read_record(record(files=files, sha256={}))
    assert read.files["content"] == ("passwd",)
    with pytest.raises(UserError, match=r"its style \.\. is not beside it"):
        find_input(read, "style", 0)
    read = read_record(record(files={"content": [".."], "style": ["stone.png"]}, sha256={}))
    with pytest.raises(UserError, match=r"its content \.\. is not beside it"):
        find_input(read, "content", 0)


def test_frames_are_found_beside_the_record(record, tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.png").touch()
    (tmp_path / "a1.png").touch()
    for name in ("frames", "a%d.png"):
        read = read_record(record(files={"content": [name], "style": ["stone.png"]}, sha256={}))
        assert find_input(read, "content", 0) == tmp_path / name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": None}, "damaged or not of neural_art"),
        ({"settings": "text"}, "damaged or not of neural_art"),
        ({"files": {"content": [3], "style": ["a"]}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a", "b"], "style": ["a"]}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a"], "style": []}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a"], "style": [""]}}, "damaged or not of neural_art"),
        ({"files": "text"}, "damaged or not of neural_art"),
        ({"sha256": {"cat.png": 3}}, "damaged or not of neural_art"),
        ({"sha256": ["cat.png"]}, "damaged or not of neural_art"),
        ({"versions": {"neural_art": "0.1.0"}}, "damaged or not of neural_art"),
        ({"weights_sha256": None}, "damaged or not of neural_art"),
        ({"settings": {"stepps": 3}}, "stepps: there is no such setting"),
        ({"settings": {"steps": "3"}}, 'steps = "3": must be a number'),
        ({"settings": {"steps": 0}}, "steps 0: must be a whole number"),
        ({"settings": {"init": None}}, "init None: must be text"),
        ({"files": {"content": ["a\nb.png"], "style": ["b.png"]}}, "has a control character"),
    ],
)
def test_damaged_records_are_refused(record, changes, message):
    path = record(**changes)
    with pytest.raises(UserError) as error:
        read_record(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["Made in a studio", "{", "[]", "3", "null", '{"content": "a"}', "[" * 100_000])
def test_what_is_no_record_is_refused(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UserError, match="damaged or not of neural_art"):
        read_record(tmp_path / "settings.json")


@pytest.mark.parametrize("depth", [400, 900, 5000])
def test_a_record_of_lists_in_lists_is_refused(record, depth):
    path = record(settings={"style_layers": "HERE"})
    path.write_text(path.read_text().replace('"HERE"', "[" * depth + "]" * depth))
    with pytest.raises(UserError, match=r"damaged or not of neural_art|must be a list"):
        read_record(path)


def test_other_versions_are_told(record, monkeypatch):
    monkeypatch.setattr("nst.run.record.version", lambda name: "2.18.0")
    assert version_warnings(read_record(record())) == []
    path = record(versions={"neural_art": "0.0.1", "tensorflow": "2.17.0"})
    expected = f"made with neural_art 0.0.1, here {nst.__version__}; tensorflow 2.17.0, here 2.18.0: pixels may differ"
    assert version_warnings(read_record(path)) == [f"{path}: {expected}"]


def test_another_network_is_told(record):
    read = read_record(record())
    assert network_warnings(read, {"precision": "float32", "weights_sha256": "0" * 64}) == []
    (line,) = network_warnings(read, {"precision": "bfloat16", "weights_sha256": "1"})
    assert "made with other weights; precision float32, here bfloat16: pixels may differ" in line
