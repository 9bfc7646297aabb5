"""Sizes, and arrays resized with Lanczos' filter. A size is (height, width) in px."""

import math

import numpy as np
from PIL import Image

from nst.system.large_arrays import empty, strips

Size = tuple[int, int]
MOST_SUPPORT = 3  # The reach of Lanczos' kernel, the widest.
MATRIX_COLUMNS = 1024  # The columns of a matrix that are made at a time, to save memory.


def resize(image: np.ndarray, size: Size, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    """Return an image [height, width, channels] resized to `size` with antialiasing, clipped to [0, 1]."""
    if image.shape[:2] == size:
        return image
    resized = empty((*size, image.shape[2]))
    for rows in strips(size):
        resized[rows] = resized_rows(image, size, rows, kernel)
    return resized


def resized_rows(
    image: np.ndarray, size: Size, rows: slice, kernel: Image.Resampling = Image.Resampling.LANCZOS
) -> np.ndarray:
    """Return some rows of a resized image; see resize."""
    if image.shape[:2] == size:
        return image[rows]
    found = kernel_rows(image, size, rows, kernel)
    return np.clip(found, 0, 1, out=found)


def kernel_rows(image: np.ndarray, size: Size, rows: slice, kernel: Image.Resampling) -> np.ndarray:
    """Return some rows of any numbers [height, width, channels] that are resized to `size`, not clipped."""
    height, width = image.shape[:2]
    scale = height / size[0]
    top, bottom = rows.start * scale, min(rows.stop * scale, height)
    margin = math.ceil(MOST_SUPPORT * max(1, scale)) + 1  # Rows that the kernel reaches beyond the strip.
    first, last = max(0, math.floor(top) - margin), min(height, math.ceil(bottom) + margin)
    found = np.empty((rows.stop - rows.start, size[1], image.shape[2]), np.float32)
    for index in range(image.shape[2]):  # One channel at a time takes less memory.
        channel = Image.fromarray(np.ascontiguousarray(image[first:last, :, index], np.float32))
        box = (0, top - first, width, bottom - first)
        found[..., index] = np.asarray(channel.resize((size[1], len(found)), kernel, box))
    return found


def resize_alpha(alpha: np.ndarray | None, size: Size) -> np.ndarray | None:
    """Return an alpha [height, width], or None, resized to `size` as `resize` does."""
    return None if alpha is None else resize(alpha[..., None], size)[..., 0]


def resize_matrix(old: int, new: int, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    """Return the matrix [new, old] that resizes a column of `old` values as `resize` does, without its clipping."""
    matrix = np.empty((new, old), np.float32)
    for start in range(0, old, MATRIX_COLUMNS):
        columns = min(MATRIX_COLUMNS, old - start)
        identity = Image.fromarray(np.eye(old, columns, -start, dtype=np.float32))
        matrix[:, start : start + columns] = np.asarray(identity.resize((columns, new), kernel))
    return matrix


def size_with_long_side(size: Size, long_side_px: int) -> Size:
    """Return `size` scaled so that its longer side is `long_side_px`."""
    scale = long_side_px / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
