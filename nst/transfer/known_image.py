"""An image as the key of what is kept of it for the next picture; the styles of a run as such images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from nst.pictures.resizing import Size, resize
from nst.system.large_arrays import strips
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale

MOSTLY = 0.5  # A place or a pixel counts where so much of it is shown.
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
        digest = hashlib.sha256()
        for array in (image, *([] if shown is None else [shown])):
            for rows in strips(array.shape):
                digest.update(np.ascontiguousarray(array[rows]).data)
        return cls(digest.digest(), image.shape[:2], image, shown)


def shown_at(inputs: Inputs, index: int, size: Size) -> np.ndarray | None:
    """Return where a style counts, [height, width] in [0, 1], at one of its sizes, or None for everywhere."""
    shown = inputs.shown[index] if inputs.shown else None
    return None if shown is None else resize(shown[..., None], size)[..., 0]


def known_styles(inputs: Inputs, scale: Scale) -> list[KnownImage]:
    """Return the styles at their sizes of a scale."""
    return [
        KnownImage.of(resize(style, size), shown_at(inputs, index, size))
        for index, (style, size) in enumerate(zip(inputs.styles, scale.style_sizes, strict=True))
    ]
