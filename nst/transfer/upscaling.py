"""The fine detail that an enlarged picture lacks: the photo's own, and strokes of the style where the photo is plain.

Without fine detail the optimiser would have to make strokes out of a blur. Strokes are found by their look without fine
detail: each patch of the enlarged picture gets the detail of the patch of the style that is most like it when blurred.
Freeman et al. 2002, "Example-based super-resolution", enlarge pictures in this way, and Hertzmann et al. 2001, "Image
analogies", carry over strokes. The optimiser mends the borders where patches do not fit together.
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

STRENGTH = (0.5, 1.5)  # The range of the factor that makes the photo's detail as strong as the style's.
PATCH_PX = 16  # The side of a patch.
MOST_CANDIDATES = 24_000  # The greatest number of patches of the style to choose from.
MATCHED_AT_ONCE = 512  # The patches of the picture that are compared at a time, to save memory.
PLAIN_PX = 8  # The standard deviation of the neighbourhood in which the photo's detail is measured.


def enlarge(
    image: np.ndarray,
    first: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[np.ndarray],
    coarser: Scale,
    scale: Scale,
    settings: Settings,
) -> np.ndarray:
    """Return `image`, made at the coarser scale, at the next scale, with fine detail.

    first   the first picture at this scale; its detail is kept, made as strong as the styles'
    shares  each style's share of each pixel; see style_shares
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
    """Return two parts of an image: blurred, as reduced to `coarser_size` and enlarged again, and the fine detail."""
    blurred = resize(resize(image, coarser_size), image.shape[:2])
    return blurred, image - blurred


def mean_square(detail: np.ndarray) -> float:
    """Return the mean square of all numbers, without an array of squares."""
    return float(np.einsum("hwc,hwc->", detail, detail, dtype=np.float64) / detail.size)


def lack(ours: np.ndarray, energy: float) -> np.ndarray:
    """Return the factor [height, width, 1] for strokes that brings detail [height, width, 3] to a mean square.

    energy  the mean square; the mean squares of both add up

    0 where our detail is as strong already, 1 where there is none.
    """
    there = gaussian_filter(np.einsum("hwc,hwc->hw", ours, ours) / 3, PLAIN_PX) / max(energy, 1e-12)
    return np.sqrt(np.clip(1 - there, 0, 1))[..., None].astype(np.float32)


def borrowed_detail(image: np.ndarray, blurred: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """Return the detail of a style for `image`: for each patch, that of the style's patch most like it when blurred.

    blurred, detail  the two parts of the style, both [height, width, 3]; see split_detail

    The patches of the image overlap by half.
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
    """Return the styles' details mixed by the styles' shares of each pixel, as strong as one of them."""
    energy = total([share**2 for share in shares])
    return mixed(parts, shares) * total(shares) / np.sqrt(np.maximum(energy, 1e-12))


def corners(length: int, side: int, step: int) -> list[int]:
    """Return where patches start along `length`: every `step`, and once so that the last patch ends with it."""
    return sorted({*range(0, length - side + 1, step), length - side})


def patches(image: np.ndarray, places: Sequence[tuple[int, ...]], side: int) -> np.ndarray:
    """Return the patches of a blurred image at these corners as [patch, value].

    Every other pixel is left out, which loses nothing of a blurred image.
    """
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
