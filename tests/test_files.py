"""Files appear whole or not at all."""

import errno

import pytest

from nst.errors import UserError
from nst.files import check_writable, first_free, write_text, written_aside


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with written_aside(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space left") as caught, written_aside(path):
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
