"""The style's own fine detail at the places to which a picture is matched: a scale begins with it.

The pixels of the style at the matched places make a patchwork. Its large shapes are of no use, but its fine detail is
that of the style's strokes, and so a picture with it is nearer to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from nst.system.large_arrays import strips
from nst.transfer.inputs import Inputs
from nst.transfer.known_image import KnownImage, known_styles
from nst.transfer.masks import region_shares
from nst.transfer.matching import Candidates, Match
from nst.transfer.scales import Scale
from nst.transfer.style_parts import everywhere

AMOUNT = 0.9  # The part of the style's fine detail that a picture is given.
SIGMA_PX = 1.5  # The standard deviation of the blur that takes the fine detail away.
LARGEST_PX = 2048  # The long side of the largest picture that is given any: it takes the styles' pixels in memory.
MARGIN_PX = 8  # No less than the reach of the blur.


def add_style_detail(picture: np.ndarray, match: Match, inputs: Inputs, scale: Scale) -> None:
    """Add fine detail of the styles to a picture [height, width, 3] of a scale: to each region that of its own styles.

    In place. At a low strength there is less of it, as of all of the style; beyond LARGEST_PX there is none.
    """
    if max(scale.size) > LARGEST_PX:
        return
    amount, styles = AMOUNT * inputs.settings.departure, known_styles(inputs, scale)
    shares = region_shares(inputs, scale.size) or [everywhere(scale.size)]
    patchworks = [
        _Patchwork(
            nearest.reshape(match.places.grid(scale.size)), match.places.side_px, _pixels(choices, styles, match)
        )
        for choices, nearest in zip(match.candidates, match.nearest, strict=True)
    ]
    for rows in strips(scale.size):
        first, last = max(0, rows.start - MARGIN_PX), min(scale.size[0], rows.stop + MARGIN_PX)
        changed = picture[rows].copy()
        for share, patchwork in zip(shares, patchworks, strict=True):
            found = patchwork.rows(first, last, scale.size[1])
            fine = found - gaussian_filter(found, (SIGMA_PX, SIGMA_PX, 0))
            changed += amount * share[rows] * fine[rows.start - first : rows.stop - first]
        picture[rows] = np.clip(changed, 0, 1)


class _Pixels(NamedTuple):
    """The pixels of a region's styles in all turns, and where each candidate lies.

    table  [pixels, 3], of all turned styles, one after the other
    first  for each candidate, the index of the first pixel of its turned style, [candidates]
    sizes  the height and width of that, [candidates, 2]
    tops   the row and column of the candidate there, in px, [candidates, 2]
    """

    table: np.ndarray
    first: np.ndarray
    sizes: np.ndarray
    tops: np.ndarray


def _pixels(choices: Candidates, styles: Sequence[KnownImage], match: Match) -> _Pixels:
    """Return the pixels of the styles that a region's candidates are of."""
    side, (turns, there) = match.places.side_px, choices.turned.T
    tables, begun = [], 0
    first, sizes, tops = (np.zeros((len(there), n), np.int64) for n in (1, 2, 2))
    for index, turn in sorted(set(zip(choices.styles.tolist(), turns.tolist(), strict=True))):
        own = (choices.styles == index) & (turns == turn)
        rows, columns = choices.grids[index]
        image = np.rot90(styles[index].image[: rows * side, : columns * side], turn)
        height, width = image.shape[:2]
        first[own], sizes[own] = begun, (height, width)
        tops[own] = side * np.stack(np.divmod(there[own], width // side), axis=1)
        tables.append(image.reshape(-1, 3))
        begun += height * width
    return _Pixels(np.concatenate(tables), first[:, 0], sizes, tops)


class _Patchwork(NamedTuple):
    """Overlapping squares of the styles' pixels, three places wide, each around its place; they fade toward their rims.

    nearest  the candidate of each place, [rows, columns] of the grid
    """

    nearest: np.ndarray
    side_px: int
    pixels: _Pixels

    def rows(self, first: int, last: int, width: int) -> np.ndarray:
        """Return some rows of the patchwork, [rows, width, 3]. Beyond the last place the edge is repeated."""
        side = self.side_px
        down, across = (count * side for count in self.nearest.shape)
        y, x = np.arange(first, last).clip(max=down - 1), np.arange(width).clip(max=across - 1)
        fading = np.hanning(3 * side + 2)[1:-1].astype(np.float32)
        found, weights = np.zeros((len(y), width, 3), np.float32), np.zeros((len(y), width, 1), np.float32)
        for below in (-1, 0, 1):
            for right in (-1, 0, 1):
                row, column = y // side + below, x // side + right
                dy, dx = y - row * side, x - column * side  # From the place to the pixel.
                there = self._inside(row, 0)[:, None] & self._inside(column, 1)
                weight = (fading[dy + side][:, None] * fading[dx + side] * there)[..., None]
                choice = self.nearest[row.clip(0, self.nearest.shape[0] - 1)][
                    :, column.clip(0, self.nearest.shape[1] - 1)
                ]
                found += weight * self._taken(choice, dy[:, None], dx)
                weights += weight
        return found / weights

    def _inside(self, places: np.ndarray, axis: int) -> np.ndarray:
        return (places >= 0) & (places < self.nearest.shape[axis])

    def _taken(self, choice: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> np.ndarray:
        """Return the pixels of the styles at a distance from candidates, or the nearest within the style."""
        table, first, sizes, tops = self.pixels
        heights, widths = sizes[choice, 0], sizes[choice, 1]
        row = np.clip(tops[choice, 0] + dy, 0, heights - 1)
        column = np.clip(tops[choice, 1] + dx, 0, widths - 1)
        return table[first[choice] + row * widths + column]
