"""An image as the key of what is kept of it for the next picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

KEPT_PX = 512  # The side of a square as large as the largest image of which anything is kept.


@dataclass(frozen=True)
class KnownImage:
    """An image, known by its size and the SHA-256 of its numbers."""

    digest: bytes
    shape: tuple[int, int]
    image: np.ndarray = field(compare=False)

    @classmethod
    def of(cls, image: np.ndarray) -> KnownImage:
        """Return an image with its digest."""
        return cls(hashlib.sha256(image.tobytes()).digest(), image.shape[:2], image)
