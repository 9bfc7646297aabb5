"""Arrays as large as a picture: in memory, or within `in_files` in files on disk, and walked in strips of rows.

A mapped file's pages count as the process's memory once they are touched. They are dropped between strips; what was
written stays in the file.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

STRIP_PX = 1_000_000  # The most pixels of a strip, unless a row has more.
LEAST_BYTES = 16_000_000  # Smaller arrays stay in memory.


class _Files:
    """Where large arrays are: the folder of their files, or None for memory; and the maps that are in use."""

    folder: Path | None = None
    maps: list[weakref.ref[mmap.mmap]] = []  # noqa: RUF012  One list for the process.


@contextmanager
def in_files(folder: Path | None) -> Iterator[None]:
    """Let large arrays that are made in the block be in files in a folder; None for memory. The files have no names.

    They are gone when their arrays are, or the process, in whichever way it ends.
    """
    before, _Files.folder = _Files.folder, folder
    try:
        yield
    finally:
        _Files.folder = before


def empty(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """Return an array with any numbers in it. Raises OSError where its file finds no room on the disk."""
    if _fits_memory(shape, dtype):
        return np.empty(shape, dtype)
    count = _bytes(shape, dtype)
    with tempfile.TemporaryFile(dir=_Files.folder) as file:
        _reserve(file, count)
        return _array(mmap.mmap(file.fileno(), count), 0, shape, dtype)


def _reserve(file: IO[bytes], count: int) -> None:
    """Make a file of so many zeros, for which the disk has room: writing to a map on a full disk ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, count)
        return
    for start in range(0, count, LEAST_BYTES):
        file.write(bytes(min(LEAST_BYTES, count - start)))
    file.flush()


def mapped_file(file: IO[bytes], offset: int, shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Return the numbers of a file from an offset on, not to be written to."""
    start = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
    count = offset - start + _bytes(shape, dtype)
    return _array(mmap.mmap(file.fileno(), count, access=mmap.ACCESS_READ, offset=start), offset - start, shape, dtype)


def _array(mapped: mmap.mmap, offset: int, shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Return a mapped file as an array, and note the map."""
    _Files.maps = [there for there in _Files.maps if there()]
    _Files.maps.append(weakref.ref(mapped))
    return np.frombuffer(mapped, dtype, math.prod(shape), offset).reshape(shape)


def zeros(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """Return an array of zeros; see empty. New files hold zeros."""
    return np.zeros(shape, dtype) if _fits_memory(shape, dtype) else empty(shape, dtype)


def _fits_memory(shape: Sequence[int], dtype: Any) -> bool:
    """Return whether an array is made in memory."""
    return not _Files.folder or _bytes(shape, dtype) < LEAST_BYTES


def _bytes(shape: Sequence[int], dtype: Any) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize


def copied(array: np.ndarray) -> np.ndarray:
    """Return a copy of an array [height, ...]."""
    copy = empty(array.shape, array.dtype)
    for rows in strips(array.shape):
        copy[rows] = array[rows]
    return copy


def writable(array: np.ndarray) -> np.ndarray:
    """Return an array, or a copy of one that is not to be written to."""
    return array if array.flags.writeable else copied(array)


def strips(shape: Sequence[int], multiple: int = 1) -> Iterator[slice]:
    """Yield the rows of an array [height, width, ...] strip by strip, and drop the pages of mapped files after each.

    multiple  strips start at multiples of this
    """
    height, width = shape[0], shape[1] if len(shape) > 1 else 1
    rows = max(1, STRIP_PX // (max(1, width) * multiple)) * multiple
    for start in range(0, height, rows):
        yield slice(start, min(height, start + rows))
        drop_pages()


def drop_pages() -> None:
    """Let the pages of mapped files go from this process's memory."""
    if not hasattr(mmap, "MADV_DONTNEED"):  # Windows drops them by itself.
        return
    for mapped in _Files.maps:
        there = mapped()
        if there is not None:
            there.madvise(mmap.MADV_DONTNEED)


def mean_of(array: np.ndarray) -> float:
    """Return the mean of an array [height, ...]."""
    return sum(float(array[rows].mean()) * (rows.stop - rows.start) for rows in strips(array.shape)) / len(array)
