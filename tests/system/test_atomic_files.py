"""Files appear whole or not at all."""

import errno
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nst.errors import UserError
from nst.system.atomic_files import (
    atomic_write,
    check_writable,
    file_sha256,
    folder_lock,
    is_locked,
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


def test_a_folder_is_of_one_run_at_a_time(tmp_path):
    with folder_lock(tmp_path), pytest.raises(UserError, match="another run is at work there"), folder_lock(tmp_path):
        pass
    with folder_lock(tmp_path):
        pass


def test_a_folder_is_of_one_run_at_a_time_on_windows_too(tmp_path, monkeypatch):
    """Windows locks a file in the folder."""

    def locking(handle, mode, number_of_bytes):
        try:
            fcntl.flock(handle, mode)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, "Permission denied") from error

    fcntl = pytest.importorskip("fcntl")
    windows = SimpleNamespace(locking=locking, LK_NBLCK=fcntl.LOCK_EX | fcntl.LOCK_NB)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr("nst.system.atomic_files.fcntl", None)
    assert not is_locked(tmp_path)
    with folder_lock(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(UserError, match="another run is at work there"), folder_lock(tmp_path):
            pass
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    (tmp_path / ".lock").touch()  # as of a run that was killed
    with folder_lock(tmp_path):
        assert is_locked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_another_program_reads_is_replaced_when_windows_lets_it(tmp_path, monkeypatch):
    monkeypatch.setattr("nst.system.atomic_files.WINDOWS", True)
    replace, refused = Path.replace, iter([True, True])

    def refuse_twice(path, new):
        if next(refused, False):
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(path, new)

    monkeypatch.setattr(Path, "replace", refuse_twice)
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    monkeypatch.setattr("nst.system.atomic_files.SECONDS_IN_USE", 0.1)
    refused = iter([True] * 100)
    with pytest.raises(PermissionError):
        write_text(tmp_path / "a.txt", "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["con.png", "NUL", "Com1.tar.png", "a:b.png", "what?.png"])
def test_a_name_that_windows_lacks_is_refused_there(tmp_path, monkeypatch, name):
    check_writable(tmp_path / name)
    monkeypatch.setattr("nst.system.atomic_files.WINDOWS", True)
    with pytest.raises(UserError, match="no file can have such a name on Windows"):
        check_writable(tmp_path / name, dry_run=True)
    check_writable(tmp_path / "contour.png")


def test_what_was_there_is_kept_under_another_name(tmp_path):
    for text in ("first", "second", "third"):
        with atomic_write(tmp_path / "a", before=tmp_path / "b") as temporary:
            temporary.write_text(text)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("third", "second")


def test_json_is_for_people_too(tmp_path):
    write_json(tmp_path / "a.json", {"size": 512})
    assert (tmp_path / "a.json").read_text() == '{\n  "size": 512\n}\n'


def test_a_link_is_written_through_also_one_that_points_to_nothing_yet(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.txt"
    link.symlink_to("real/file.txt")
    for text in ("first", "second"):
        check_writable(link)
        write_text(link, text)
        assert link.is_symlink()
        assert (tmp_path / "real" / "file.txt").read_text() == text
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["file.txt"]


def test_a_new_file_has_the_permissions_of_the_old_one(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "first")
    path.chmod(0o600)
    write_text(path, "second")
    assert (path.stat().st_mode & 0o777, path.read_text()) == (0o600, "second")


def test_a_text_without_end_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="/dev/zero: is a device; name a file"):
        read_text(Path("/dev/zero"))
    monkeypatch.setattr("nst.system.atomic_files.LARGEST_TEXT", 10)
    (tmp_path / "long.toml").write_text("x" * 11)
    with pytest.raises(UserError, match="has more than 10 bytes"):
        read_text(tmp_path / "long.toml")


def test_a_text_in_utf_16_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("größe", encoding="utf-16")
    assert read_text(tmp_path / "a.csv") == "größe"
