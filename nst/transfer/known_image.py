"""An image as the key of what is kept of it for the next picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

KEPT_PX = 512  # The side of a square as large as the largest image of which anything is kept.


@dataclass(frozen=True)
class KnownImage:
    """An image, known by its size and the SHA-256 of its numbers.

    shown  where it counts, [height, width], or None for everywhere
    """

    digest: bytes
    shape: tuple[int, int]
    image: np.ndarray = field(compare=False)
    shown: np.ndarray | None = field(compare=False, default=None)

    @classmethod
    def of(cls, image: np.ndarray, shown: np.ndarray | None = None) -> KnownImage:
        """Return an image with its digest."""
        numbers = image.tobytes() + (b"" if shown is None else shown.tobytes())
        return cls(hashlib.sha256(numbers).digest(), image.shape[:2], image, shown)
