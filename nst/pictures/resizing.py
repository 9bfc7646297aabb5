"""Sizes, and arrays resized with Lanczos' filter. A size is (height, width) in px."""

import numpy as np
from PIL import Image

Size = tuple[int, int]


def resize(image: np.ndarray, size: Size) -> np.ndarray:
    """Return an image [height, width, channels] resized to `size` with antialiasing, clipped to [0, 1]."""
    if image.shape[:2] == size:
        return image
    resized = np.empty((*size, image.shape[2]), np.float32)
    for index in range(image.shape[2]):  # One channel at a time takes less memory.
        channel = Image.fromarray(np.ascontiguousarray(image[..., index], np.float32))
        resized[..., index] = np.asarray(channel.resize(size[::-1], Image.Resampling.LANCZOS))
    return np.clip(resized, 0, 1, out=resized)


def resize_alpha(alpha: np.ndarray | None, size: Size) -> np.ndarray | None:
    """Return an alpha [height, width], or None, resized to `size` as `resize` does."""
    return None if alpha is None else resize(alpha[..., None], size)[..., 0]


def resize_matrix(old: int, new: int, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    """Return the matrix [new, old] that resizes a column of `old` values as `resize` does, without its clipping."""
    identity = Image.fromarray(np.eye(old, dtype=np.float32))
    return np.asarray(identity.resize((old, new), kernel))


def size_with_long_side(size: Size, long_side_px: int) -> Size:
    """Return `size` scaled so that its longer side is `long_side_px`."""
    scale = long_side_px / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
