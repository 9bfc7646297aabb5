"""TODO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Named:
    """An image and the name of its file."""

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Sources:
    """What a run is made from, and how many steps it is to have."""

    content: Named
    styles: tuple[Named, ...]
    steps: int


def title_of(sources: Sources) -> tuple[str, list[str]]:
    """Return the names of the photo and of the styles without suffix."""
    return Path(sources.content.name).stem, [Path(style.name).stem for style in sources.styles]
