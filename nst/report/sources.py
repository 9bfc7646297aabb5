"""The sources of a run: the pictures that a page shows as photo and styles, and the planned number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Named:
    """An image [height, width, 3] in [0, 1] and the name of its file."""

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Sources:
    """The photo and the styles of a run, and the planned number of its steps; for a clip, a frame and their number.

    unit  "step", or "frame" for a clip
    """

    content: Named
    styles: tuple[Named, ...]
    steps: int
    unit: str = "step"


def title_of(sources: Sources) -> tuple[str, list[str]]:
    """Return the name of the photo and the names of the styles, without suffix."""
    return Path(sources.content.name).stem, [Path(style.name).stem for style in sources.styles]
