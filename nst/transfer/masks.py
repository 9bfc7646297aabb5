"""Which style belongs where: the pictures of a run together, and the share of each style at a pixel and at a layer.

A mask is float32 [height, width] in [0, 1], of any size: 1 where a style belongs, or where the photo may change.
"""

import functools
from collections.abc import Sequence

import numpy as np

from nst.layers import block_of
from nst.pictures.resizing import Size, resize
from nst.transfer.inputs import Inputs


def style_shares(inputs: Inputs, size: Size) -> list[np.ndarray]:
    """Return the share of each style in pictures of `size`: [1, 1, 1], or with masks [height, width, 1].

    Where masks overlap, the styles share the place; where there is none, the shares are 0.
    """
    if not inputs.style_masks and inputs.content_mask is None:
        return [np.full((1, 1, 1), weight, np.float32) for weight in inputs.weights]
    whole = np.ones((1, 1), np.float32)
    maps = [resize(mask[..., None], size) for mask in inputs.style_masks or [whole] * len(inputs.styles)]
    if not inputs.style_masks:
        maps = [weight * share for weight, share in zip(inputs.weights, maps, strict=True)]
    within = 1 if inputs.content_mask is None else resize(inputs.content_mask[..., None], size)
    crowded = np.maximum(total(maps), 1)
    return [(share * within / crowded).astype(np.float32) for share in maps]


def at_layer(share: np.ndarray, layer: str) -> np.ndarray:
    """Return a share [height, width, 1] as weights of a layer's positions [positions, 1] that add up to 1.

    Averaged over the pixels that each position lies over, as the network's pooling halves pictures.
    """
    for _ in range(block_of(layer) - 1):
        height, width = (side // 2 for side in share.shape[:2])
        share = share[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 1).mean(axis=(1, 3))
    return share.reshape(-1, 1) / max(float(share.sum()), 1e-6)


def mixed(parts: Sequence[np.ndarray], shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of images by their shares."""
    return total([part * share for part, share in zip(parts, shares, strict=True)])


def total(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of arrays that broadcast, one at least."""
    return functools.reduce(np.add, arrays)
