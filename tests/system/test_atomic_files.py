"""Files appear whole or not at all."""

import errno

import pytest

from nst.errors import UserError
from nst.run.folder import first_free, remove_leftovers, reserved
from nst.system.atomic_files import (
    atomic_write,
    check_writable,
    file_sha256,
    folder_lock,
    read_text,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(path)


def test_check_makes_the_folder_and_touches_nothing(tmp_path):
    path = tmp_path / "new" / "a.png"
    check_writable(path)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "file/a.png", "folder"])
def test_what_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"cannot be written|is a folder"):
        check_writable(tmp_path / name)


def test_first_free_counts_past_files_and_folders(tmp_path):
    path = tmp_path / "a.png"
    assert first_free(path) == path
    (tmp_path / "a").mkdir()
    assert first_free(path).name == "a_2.png"
    (tmp_path / "a_2.png").write_text("")
    assert first_free(path).name == "a_3.png"


def test_text_is_read_as_written_and_without_a_byte_order_mark(tmp_path):
    write_text(tmp_path / "a.txt", "é 🎨\n")
    assert read_text(tmp_path / "a.txt") == "é 🎨\n"
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfb")
    assert read_text(tmp_path / "b.txt") == "b"


def test_text_that_cannot_be_read_is_refused_in_words(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    for path, words in (
        (tmp_path / "latin.txt", "is not UTF-8 text, at byte 4"),
        (tmp_path / "none.txt", "no such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "latin.txt" / "a", "cannot be read: Not a directory"),
    ):
        with pytest.raises(UserError) as error:
            read_text(path)
        assert f"{path}: {words}" in str(error.value)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_reserved_name_is_no_other_runs(tmp_path):
    names = [reserved(tmp_path / "a.png").name for _ in range(3)]
    assert names == ["a.png", "a_2.png", "a_3.png"]
    assert (tmp_path / "a_3").is_dir()


def test_a_name_taken_between_look_and_grasp_is_passed_over(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    found = iter([tmp_path / "a.png", tmp_path / "a_2.png"])
    monkeypatch.setattr("nst.run.folder.first_free", lambda _: next(found))
    assert reserved(tmp_path / "a.png").name == "a_2.png"


def test_a_folder_is_of_one_run_at_a_time(tmp_path):
    with folder_lock(tmp_path), pytest.raises(UserError, match="another run is at work there"), folder_lock(tmp_path):
        pass
    with folder_lock(tmp_path):
        pass


def test_what_was_there_is_kept_under_another_name(tmp_path):
    for text in ("first", "second", "third"):
        with atomic_write(tmp_path / "a", before=tmp_path / "b") as temporary:
            temporary.write_text(text)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("third", "second")


def test_leftovers_of_this_run_are_removed_and_no_others(tmp_path):
    (tmp_path / "a").mkdir()
    ours = [".a.png.12.part", "a/.step.png.12.part"]
    others = [".b.png.12.part", ".a.pn.12.part", "a/step.png", "a.png"]
    for name in ours + others:
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path / "a.png")
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(others)


def test_json_is_for_people_too(tmp_path):
    write_json(tmp_path / "a.json", {"size": 512})
    assert (tmp_path / "a.json").read_text() == '{\n  "size": 512\n}\n'
