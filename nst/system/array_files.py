"""Arrays by name in a file of NumPy's (.npz, not packed), written and read without a second copy in memory."""

from __future__ import annotations

import math
import mmap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from nst.system.large_arrays import LEAST_BYTES, mapped_file, strips

LOCAL_HEADER = 30  # The bytes of a member's header before its name; the last four hold the lengths of name and more.


def write_arrays(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as numpy.savez does, strip by strip."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            described = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array_header_1_0(member, described)
                for part in parts(array):
                    member.write(part.tobytes())


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file that write_arrays has written. Large ones are mapped, and not to be written to.

    Raises one of many errors where the file is damaged or holds anything else than numbers and text.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        return {item.filename.removesuffix(".npy"): _read(archive, item, file) for item in archive.infolist()}


def parts(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the numbers of an array of any shape in their order, in parts that are not too large."""
    flat = np.ascontiguousarray(array).reshape(-1)
    yield from (flat[numbers] for numbers in strips(flat.shape))


def _read(archive: zipfile.ZipFile, item: zipfile.ZipInfo, file: IO[bytes]) -> np.ndarray:
    """Return a member of an archive, which `file` reads too."""
    with archive.open(item) as member:
        version = npy.read_magic(member)
        if version != (1, 0):
            raise ValueError(version)
        shape, in_columns, dtype = npy.read_array_header_1_0(member)
        if dtype.hasobject:
            raise ValueError(dtype)
        count = math.prod(shape) * dtype.itemsize
        if count != item.file_size - member.tell():
            raise ValueError(shape)
        start = member.tell()
        array = _mapped(item, file, start, shape, dtype) if count >= LEAST_BYTES else None
        if array is None:
            array = np.empty(math.prod(shape), dtype)
            for part in parts(array):
                part[:] = np.frombuffer(member.read(part.nbytes), dtype)
    return array.reshape(shape, order="F" if in_columns else "C")


def _mapped(item: zipfile.ZipInfo, file: IO[bytes], start: int, shape: Sequence[int], dtype: Any) -> np.ndarray | None:
    """Return the numbers of a member from its byte `start` on, mapped, or None where that cannot be."""
    if not hasattr(mmap, "MADV_DONTNEED"):  # Windows cannot replace a mapped file.
        return None
    file.seek(item.header_offset + LOCAL_HEADER - 4)
    lengths = np.frombuffer(file.read(4), "<u2")
    try:
        return mapped_file(file, item.header_offset + LOCAL_HEADER + int(lengths.sum()) + start, shape, dtype).ravel()
    except OSError:  # Some disks cannot.
        return None
