"""The fine detail that an enlarged picture lacks: the photo's own, and strokes of the style where the photo is plain.

Without it the optimiser would have to make strokes out of a blur. Strokes are found by how they look without their
detail: each patch of the enlarged picture gets the detail of that patch of the style which, as blurred, is most like
it. Freeman et al. 2002, "Example-based super-resolution", enlarge pictures so, and Hertzmann et al. 2001, "Image
analogies", carry over strokes. What does not fit together the optimiser mends.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from nst.pictures.resizing import Size, resize
from nst.settings import Settings
from nst.transfer.masks import mixed, total
from nst.transfer.scales import Scale

STRENGTH = (0.5, 1.5)  # how much the photo's detail may be weakened or strengthened to be as strong as the style's
PATCH_PX = 16
MOST_CANDIDATES = 24_000  # patches of the style to choose from
MATCHED_AT_ONCE = 512  # patches of the picture, for memory
PLAIN_PX = 8  # standard deviation of the neighbourhood in which the photo has detail or not


def enlarge(
    image: np.ndarray,
    first: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[np.ndarray],
    coarser: Scale,
    scale: Scale,
    settings: Settings,
) -> np.ndarray:
    """Return `image` at the next scale, with fine detail.

    first   the first picture as it would have been at this scale; its detail is kept, as strong as the styles'
    shares  of each style, [height, width, 1] of the scale or [1, 1, 1]
    """
    strokes = settings.strokes * settings.departure
    enlarged = resize(image, scale.size)
    ours = split_detail(first, coarser.size)[1]
    split = [
        split_detail(resize(style, size), coarser_size)
        for style, size, coarser_size in zip(styles, scale.style_sizes, coarser.style_sizes, strict=True)
    ]
    weights = [float(share.mean()) for share in shares]
    energy = np.average([mean_square(theirs) for _, theirs in split], weights=np.maximum(weights, 1e-6))
    ours *= np.clip(np.sqrt(energy) / max(ours.std(), 1e-6), *STRENGTH) ** settings.departure
    if strokes:
        parts = [borrowed_detail(enlarged, blurred, theirs) for blurred, theirs in split]
        ours += strokes * lack(ours, energy) * _mixed_detail(parts, shares)
    enlarged += ours
    return np.clip(enlarged, 0, 1, out=enlarged)


def split_detail(image: np.ndarray, coarser_size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return an image as it is after it was reduced to `coarser_size` and enlarged again, and what that takes away."""
    blurred = resize(resize(image, coarser_size), image.shape[:2])
    return blurred, image - blurred


def mean_square(detail: np.ndarray) -> float:
    """Return the mean square of all numbers, without an array of squares."""
    return float(np.einsum("hwc,hwc->", detail, detail, dtype=np.float64) / detail.size)


def lack(ours: np.ndarray, energy: float) -> np.ndarray:
    """Return how much detail of a mean square of `energy` is missing from detail [height, width, 3]: a factor for it.

    [height, width, 1]; 0 where ours is as strong, 1 where there is none; energies add up.
    """
    share = gaussian_filter(np.einsum("hwc,hwc->hw", ours, ours) / 3, PLAIN_PX) / max(energy, 1e-12)
    return np.sqrt(np.clip(1 - share, 0, 1))[..., None].astype(np.float32)


def borrowed_detail(image: np.ndarray, blurred: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """Return for `image` the detail of those patches of `blurred` that are most like its own, overlapping by half.

    blurred, detail  of the style, both [height, width, 3]; see split_detail
    """
    side = min(PATCH_PX, *image.shape[:2], *blurred.shape[:2])
    height, width = blurred.shape[:2]
    step = max(1, math.ceil(math.sqrt(height * width / MOST_CANDIDATES)))
    places = list(itertools.product(*(corners(length, side, max(1, side // 2)) for length in image.shape[:2])))
    candidates = list(itertools.product(corners(height, side, step), corners(width, side, step)))
    found = nearest(patches(image, places, side), patches(blurred, candidates, side))
    window = np.outer(*[np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2] * 2)[..., None].astype(np.float32)
    summed, weight = np.zeros_like(image), np.zeros_like(image[..., :1])
    for (y, x), index in zip(places, found, strict=True):
        v, u = candidates[index]
        summed[y : y + side, x : x + side] += window * detail[v : v + side, u : u + side]
        weight[y : y + side, x : x + side] += window
    summed /= weight
    return summed


def _mixed_detail(parts: Sequence[np.ndarray], shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of details by the shares of their styles, as strong as one of them."""
    energy = total([share**2 for share in shares])
    return mixed(parts, shares) * total(shares) / np.sqrt(np.maximum(energy, 1e-12))


def corners(length: int, side: int, step: int) -> list[int]:
    """Return where patches begin along `length`: every `step`, and so that the last one ends with it."""
    return sorted({*range(0, length - side + 1, step), length - side})


def patches(image: np.ndarray, places: Sequence[tuple[int, ...]], side: int) -> np.ndarray:
    """Return the patches whose corners are given as [patch, value], every other pixel: blurred, they lose nothing."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(0, 1))[..., ::2, ::2]
    rows, columns = np.array(places).T
    return windows[rows, columns].reshape(len(places), -1)


def nearest(queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return for each query [.., value] the index of the candidate at the least squared distance."""
    choices = tf.constant(candidates)
    squares = tf.reduce_sum(tf.square(choices), axis=1)
    parts = [queries[start : start + MATCHED_AT_ONCE] for start in range(0, len(queries), MATCHED_AT_ONCE)]
    return np.concatenate(
        [tf.argmin(squares - 2 * tf.matmul(part, choices, transpose_b=True), axis=1).numpy() for part in parts]
    )
