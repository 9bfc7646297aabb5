"""The pyramid of a picture in tiles, walked in strips; see pyramid.

Matrices for whole rows and columns would be larger than the picture.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from nst.pictures.resizing import Size, kernel_rows
from nst.system.large_arrays import strips, zeros

REACH = 3  # More coarse rows than the bicubic kernel reaches beyond those of a block.
LEAST_DEVIATION = 1e-12  # The least deviation of a gradient: Adam's epsilon.
BLOCK = 256  # The rows or columns of a block.


class StripPyramid(NamedTuple):
    """A linear map from bands, fine to coarse, to an image.

    sizes    of the bands
    amounts  [bands], by how much each band moves the picture
    colors   [3, 3], the axes of colour that the three numbers of a band's pixel stand for; see color_axes
    """

    sizes: tuple[Size, ...]
    amounts: np.ndarray
    colors: np.ndarray


class Moments(NamedTuple):
    """Adam's memory of the gradients, as in optimizers, but as arrays that each step changes."""

    first: list[np.ndarray]
    second: list[np.ndarray]


def step_in_strips(
    picture: np.ndarray,
    moments: Moments,
    gradient: np.ndarray,
    pyramid: StripPyramid,
    *,
    rate: float,
    count: float,
    betas: tuple[float, float],
) -> None:
    """Take Adam's step, see optimizers.adam_step, in place: picture and moments change, and the gradient is used up.

    count  the number of the step, from 1

    All arrays that the step needs are made first: where the memory or the disk is too short, nothing has changed.
    """
    for rows in strips(gradient.shape):
        gradient[rows] = gradient[rows] @ pyramid.colors.T
    slopes = [gradient]
    for size in pyramid.sizes[1:]:
        slopes.append(_gathered(slopes[-1], size))
    for index, amount in enumerate(pyramid.amounts):
        _remember(moments.first[index], moments.second[index], slopes[index], amount, betas)
    unbiased = math.sqrt(1 - betas[1] ** count) / (1 - betas[0] ** count)
    results = [picture, *slopes[1:]]  # The slopes have been remembered: their arrays take the moves.
    for index in range(len(pyramid.sizes) - 1, -1, -1):
        size, amount, moves = pyramid.sizes[index], pyramid.amounts[index], results[index]
        for rows in strips(size):
            first, second = moments.first[index][rows], moments.second[index][rows]
            move = np.float32(amount * unbiased) * first / (np.sqrt(second) + np.float32(LEAST_DEVIATION))
            if index + 1 < len(pyramid.sizes):
                move += kernel_rows(results[index + 1], size, rows, Resampling.BICUBIC)
            moves[rows] = move if index else np.clip(picture[rows] - np.float32(rate) * (move @ pyramid.colors), 0, 1)


def _remember(
    first: np.ndarray, second: np.ndarray, slopes: np.ndarray, amount: float, betas: tuple[float, float]
) -> None:
    """Bring a band's moments up to date with the slopes of the image in it, less the band's amount."""
    newest = [np.float32(1 - beta) for beta in betas]
    for rows in strips(slopes.shape):
        slope = amount * slopes[rows]
        first[rows] += newest[0] * (slope - first[rows])
        second[rows] += newest[1] * (np.square(slope) - second[rows])


def _gathered(fine: np.ndarray, coarse: Size) -> np.ndarray:
    """Return d/d(coarse) from d/d(fine), where the fine image is the coarse one enlarged bicubically."""
    height, width = fine.shape[:2]
    found = zeros((*coarse, 3))
    columns = [(block, *_matrix(coarse[1], width, block)) for block in _blocks(0, width)]
    for rows in (block for strip in strips(fine.shape) for block in _blocks(strip.start, strip.stop)):
        across = np.zeros((coarse[1], rows.stop - rows.start, 3), np.float32)
        turned = fine[rows].transpose(1, 0, 2)
        for block, first, matrix in columns:
            part = np.ascontiguousarray(turned[block]).reshape(len(matrix), -1)
            across[first : first + matrix.shape[1]] += (matrix.T @ part).reshape(matrix.shape[1], -1, 3)
        first, matrix = _matrix(coarse[0], height, rows)
        part = np.ascontiguousarray(across.transpose(1, 0, 2)).reshape(len(matrix), -1)
        found[first : first + matrix.shape[1]] += (matrix.T @ part).reshape(matrix.shape[1], coarse[1], 3)
    return found


def _blocks(start: int, stop: int) -> Iterator[slice]:
    """Yield the blocks of some rows or columns: the matrix of all of them at once would be large."""
    for bounds in itertools.pairwise([*range(start, stop, BLOCK), stop]):
        yield slice(*bounds)


def _matrix(old: int, new: int, block: slice) -> tuple[int, np.ndarray]:
    """Return the part of the matrix that enlarges `old` values to `new` for a block of the new, [block, n].

    With the number of the first of the n old values.
    """
    top, bottom = block.start * old / new, min(block.stop * old / new, old)
    first, last = max(0, math.floor(top) - REACH), min(old, math.ceil(bottom) + REACH)
    identity = Image.fromarray(np.eye(last - first, dtype=np.float32))
    box = (0, top - first, last - first, bottom - first)
    return first, np.asarray(identity.resize((last - first, block.stop - block.start), Resampling.BICUBIC, box))
