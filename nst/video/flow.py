"""Optical flow between two frames, and the parts of a frame that were there before.

A flow is float32 [height, width, 2]: for each pixel of a frame, how far right and down it is in another frame. OpenCV
computes it: DIS flow (Kroeger et al. 2016, "Fast optical flow using dense inverse search").
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from nst.errors import UserError
from nst.pictures.color_transfer import LUMINANCE
from nst.pictures.picture_files import levels_of
from nst.places import install_extra

SMOOTH_FLOW = 4.0  # The deviation of a smoothed flow, which is taken where it explains the frame as well.
NOISE_LEVELS = 0.05  # The error in levels of 255 by which a smoothed flow may explain the frame worse.
LEAST_LINE = 0.02  # The least part of a frame that tells how the light of all of it has changed.
ALIKE_LEVELS, ALIKE_SIGMA = 20.0, 1.5  # The greatest difference of colours in levels of 255, and the blur before.
MASK_SIGMA = 2.0  # The deviation of the blur of the map of what is known.
EDGE = 0.01, 0.01  # The limit of a flow's squared gradient: a part of its square, and a constant (Ruder et al. 2016).
CONSISTENT = 0.01, 1.0  # The same of the difference of the flow there and the flow back.


class Motion(NamedTuple):
    """How a frame comes from an earlier one.

    back   the flow from the frame to the earlier one
    known  float32 [height, width] in [0, 1]: 1 where the pixel was there before
    """

    back: np.ndarray
    known: np.ndarray


def opencv() -> Any:
    """Return OpenCV. Raises UserError where it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise UserError(f"clips: need opencv-python-headless; {install_extra('video')}") from error
    return cv2


def motion(earlier: np.ndarray, frame: np.ndarray) -> Motion:
    """Return how a frame [height, width, 3] in [0, 1] comes from an earlier one of the same size."""
    ours, theirs = _grey(frame), _grey(earlier)
    back, forth = _calmed(_flow(ours, theirs), frame, earlier), _calmed(_flow(theirs, ours), earlier, frame)
    found = _consistent(back, forth)
    found &= _alike(frame, warped(earlier, back), found)
    return Motion(back, gaussian_filter(found.astype(np.float32), MASK_SIGMA) * found)


def _calmed(flow: np.ndarray, frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return a flow, smooth where a smooth one explains the frame as well, as noise has no flow of its own."""
    smooth = np.stack([gaussian_filter(flow[..., k], SMOOTH_FLOW) for k in (0, 1)], axis=-1)
    light, there = frame @ LUMINANCE, other @ LUMINANCE
    errors = [gaussian_filter(np.abs(light - warped(there, way)), MASK_SIGMA) for way in (flow, smooth)]
    calm = errors[1] <= errors[0] + NOISE_LEVELS / 255
    return np.where(calm[..., None], smooth, flow).astype(np.float32)


def _consistent(back: np.ndarray, forth: np.ndarray) -> np.ndarray:
    """Return where the flow there and the flow back agree, off the edges of motion. Ruder, Dosovitskiy, Brox 2016."""
    returned = warped(forth, back)
    apart = np.sum((back + returned) ** 2, axis=-1)
    lengths = np.sum(back**2, axis=-1) + np.sum(returned**2, axis=-1)
    consistent = apart < CONSISTENT[0] * lengths + CONSISTENT[1]
    gradients = [np.gradient(back[..., k], axis=axis) for k in (0, 1) for axis in (0, 1)]
    edges = sum(gradient**2 for gradient in gradients) > EDGE[0] * np.sum(back**2, axis=-1) + EDGE[1]
    height, width = apart.shape
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = columns + back[..., 0], rows + back[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return np.asarray(consistent & ~edges & inside)


def _alike(frame: np.ndarray, there: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return where a frame has the colours of the earlier one as it is seen there, [height, width].

    Where something covered the ground before, both flows may agree on it. A change of light of the whole frame, a line
    for each channel through what is known, makes no difference.

    known  where the flows agree
    """
    if known.mean() < LEAST_LINE:
        return known
    apart = np.zeros(known.shape, np.float32)
    for ours, theirs in zip(np.moveaxis(frame, -1, 0), np.moveaxis(there, -1, 0), strict=True):
        deviation = float(theirs[known].std())
        slope = float(np.cov(theirs[known], ours[known])[0, 1]) / max(deviation, 1e-3) ** 2
        wanted = float(ours[known].mean()) + slope * (theirs - float(theirs[known].mean()))
        apart = np.maximum(apart, np.abs(gaussian_filter(ours - wanted, ALIKE_SIGMA)))
    return apart * 255 < ALIKE_LEVELS


def warped(image: np.ndarray, back: np.ndarray, *, sharp: bool = False) -> np.ndarray:
    """Return an earlier image as it is seen in a frame, float32.

    back   the flow from the frame to the earlier one
    sharp  whether to interpolate with Lanczos' filter, which keeps detail over many frames, in place of linearly
    """
    cv2 = opencv()
    height, width = back.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = cv2.INTER_LANCZOS4 if sharp else cv2.INTER_LINEAR
    found = cv2.remap(
        np.ascontiguousarray(image, np.float32),
        columns + back[..., 0],
        rows + back[..., 1],
        kind,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found)


def _flow(frame: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the flow from a grey frame to another."""
    cv2 = opencv()
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    engine.setFinestScale(0)
    return np.asarray(engine.calc(frame, other, None))


def _grey(frame: np.ndarray) -> np.ndarray:
    return levels_of(frame @ LUMINANCE)
