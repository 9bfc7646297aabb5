"""Where each style belongs: its share of each pixel, and the weights of a layer's positions.

A mask is float32 [height, width] in [0, 1], of any size: 1 where a style belongs, or where the photo may change.
"""

import functools
from collections.abc import Sequence

import numpy as np

from nst.layers import block_of
from nst.pictures.resizing import Size, resize
from nst.transfer.inputs import Inputs


def style_shares(inputs: Inputs, size: Size) -> list[np.ndarray]:
    """Return each style's share of each pixel of pictures of `size`: [height, width, 1], or [1, 1, 1] without masks.

    Where masks overlap, the styles divide the pixel among them. Where all masks are 0, all shares are 0.
    """
    if not inputs.style_masks and inputs.content_mask is None:
        return [np.full((1, 1, 1), weight, np.float32) for weight in inputs.weights]
    everywhere = np.ones((1, 1), np.float32)
    maps = [resize(mask[..., None], size) for mask in inputs.style_masks or [everywhere] * len(inputs.styles)]
    if not inputs.style_masks:
        maps = [weight * share for weight, share in zip(inputs.weights, maps, strict=True)]
    within = 1 if inputs.content_mask is None else resize(inputs.content_mask[..., None], size)
    crowded = np.maximum(total(maps), 1)
    return [(share * within / crowded).astype(np.float32) for share in maps]


def position_weights(style_share: np.ndarray, layer: str) -> np.ndarray:
    """Return the weights [positions, 1], which add up to 1, of a layer's positions for a style.

    style_share  the style's share of each pixel, [height, width, 1]

    The weight of a position goes by the mean share of the pixels under it. Means of 2 x 2 pixels halve the picture, as
    the network's pooling does.
    """
    for _ in range(block_of(layer) - 1):
        height, width = (side // 2 for side in style_share.shape[:2])
        style_share = style_share[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 1).mean(axis=(1, 3))
    return style_share.reshape(-1, 1) / max(float(style_share.sum()), 1e-6)


def mixed(images: Sequence[np.ndarray], shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of images, each multiplied by its share of the pixels."""
    return total([image * share for image, share in zip(images, shares, strict=True)])


def total(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of one or more arrays that broadcast."""
    return functools.reduce(np.add, arrays)
