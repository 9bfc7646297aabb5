"""Arrays in mapped files: the same numbers as in memory, little memory, no file left; and files of arrays."""

import errno
import io
import mmap
import os

import numpy as np
import psutil
import pytest

from nst.system import large_arrays
from nst.system.array_files import read_arrays, write_arrays
from nst.system.large_arrays import copied, drop_pages, empty, in_files, mean_of, strips, zeros

needs_pages = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system drops pages by itself")


@pytest.fixture
def small_files(monkeypatch, tmp_path):
    """All arrays from 1000 bytes on are in files, and strips are small."""
    monkeypatch.setattr(large_arrays, "LEAST_BYTES", 1000)
    monkeypatch.setattr(large_arrays, "STRIP_PX", 500)
    monkeypatch.setattr("nst.system.array_files.LEAST_BYTES", 1000)
    with in_files(tmp_path):
        yield tmp_path


def in_memory(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return not isinstance(array, (mmap.mmap, memoryview))


def test_large_arrays_are_in_files_that_have_no_name(small_files):
    array = zeros((40, 50))
    assert not array.any()
    array[:] = 3
    drop_pages()
    assert (array == 3).all()
    assert not in_memory(array)
    assert in_memory(empty((4, 5)))
    assert not list(small_files.iterdir())
    copy = copied(array)
    copy[0] = 1
    assert mean_of(array) == 3


def test_after_the_block_they_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "LEAST_BYTES", 1000)
    with in_files(tmp_path):
        with in_files(None):
            assert in_memory(empty((40, 50)))
        inside = empty((40, 50), np.float16)
    assert in_memory(empty((40, 50)))
    assert (inside.dtype, inside.shape) == (np.float16, (40, 50))


@pytest.mark.parametrize(
    ("shape", "multiple"), [((1, 1), 1), ((101, 7), 1), ((101, 70), 16), ((64, 4000, 3), 8), ((9,), 1)]
)
def test_strips_cover_all_rows_once(small_files, shape, multiple):
    found = list(strips(shape, multiple))
    assert [row for rows in found for row in range(rows.start, rows.stop)] == list(range(shape[0]))
    assert all(rows.start % multiple == 0 for rows in found)
    assert all(
        (rows.stop - rows.start) * (shape[1] if shape[1:] else 1) <= 500 or rows.stop - rows.start <= multiple
        for rows in found
    )


@needs_pages
def test_written_strip_by_strip_they_take_little_memory(tmp_path):
    before, most = psutil.Process().memory_info().rss, 0
    with in_files(tmp_path):
        array = empty((20_000, 4000))
    for rows in strips(array.shape):
        array[rows] = rows.start
        most = max(most, psutil.Process().memory_info().rss - before)
    assert array.nbytes == 320_000_000
    assert most < 60_000_000
    assert array[-1, -1] > 0


@needs_pages
def test_a_full_disk_is_an_error_before_anything_is_written(small_files, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        empty((40, 50))


ARRAYS = {
    "text": np.array("so"),
    "number": np.float32(2.5),
    "small": np.arange(6, dtype=np.int32).reshape(2, 3),
    "large": np.random.default_rng(0).normal(size=(40, 50, 3)).astype(np.float32),
    "turned": np.asfortranarray(np.arange(4000.0).reshape(40, 100)),
}


@pytest.mark.parametrize("mapped", [True, False])
def test_arrays_come_back_from_a_file(tmp_path, request, mapped):
    if mapped:
        request.getfixturevalue("small_files")
    with (tmp_path / "arrays.npz").open("wb") as file:
        write_arrays(file, ARRAYS)
    found = read_arrays(tmp_path / "arrays.npz")
    (tmp_path / "arrays.npz").unlink()
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert found["small"].flags.writeable
    with np.load(io.BytesIO(b"".join(written(ARRAYS)))) as numpys:
        np.testing.assert_array_equal(numpys["large"], ARRAYS["large"])


def written(arrays):
    file = io.BytesIO()
    write_arrays(file, arrays)
    yield file.getvalue()


def test_arrays_of_numpys_own_files_are_read_too(tmp_path, small_files):
    np.savez(tmp_path / "numpys.npz", **ARRAYS)
    for name, array in read_arrays(tmp_path / "numpys.npz").items():
        np.testing.assert_array_equal(array, ARRAYS[name])
    np.savez(tmp_path / "objects.npz", a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="object"):
        read_arrays(tmp_path / "objects.npz")


def test_where_a_file_cannot_be_mapped_its_arrays_are_read(tmp_path, small_files, monkeypatch):
    with (tmp_path / "arrays.npz").open("wb") as file:
        write_arrays(file, ARRAYS)

    def fail(*_):
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr("nst.system.array_files.mapped_file", fail)
    found = read_arrays(tmp_path / "arrays.npz")
    np.testing.assert_array_equal(found["large"], ARRAYS["large"])


def test_without_a_way_to_reserve_room_files_are_written_with_zeros(small_files, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    assert not in_memory(empty((40, 50)))
    assert not zeros((40, 50)).any()
