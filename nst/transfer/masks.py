"""Where each style belongs: the regions of a picture, their shares of each pixel, and the weights of positions.

A mask is float32 [height, width] in [0, 1], of any size: 1 where a style belongs, or where the photo may change. A
region is where a style belongs, or a blend of styles: those without masks, or those whose masks are in proportion.
"""

import functools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from nst.layers import block_of, stride_of
from nst.pictures.resizing import Size, resize
from nst.system.large_arrays import empty, mean_of, strips
from nst.transfer.inputs import Inputs

PROPORTION = 1.5 / 255  # The greatest difference of two masks that are in proportion, at the same mean.
SIMPLE = 10_000  # Weights are fractions of at most this denominator, so that rounding makes no other picture.
FULL_REACH = 0.1  # A region with this fraction of the largest share of a pixel moves the pixel in full.


class Region(NamedTuple):
    """A style or a blend.

    members  the numbers of its styles
    styles   the weight of each style, of all styles, in the region; they add up to 1
    weight   of the region, for each pixel that it has
    """

    members: tuple[int, ...]
    styles: tuple[float, ...]
    weight: float


def regions_of(inputs: Inputs) -> list[Region]:
    """Return the regions. Where all masks are in proportion, as without masks, there is one."""
    count = len(inputs.styles)
    if not inputs.style_masks:
        return [Region(tuple(range(count)), tuple(inputs.weights), 1.0)]
    groups: list[list[int]] = []
    for index, mask in enumerate(inputs.style_masks):
        alike = (group for group in groups if _in_proportion(mask, inputs.style_masks[group[0]]))
        group = next(alike, None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    regions = []
    for members in groups:
        shares = np.zeros(count)
        shares[members] = [inputs.style_masks[index].mean() or 1 for index in members]  # 1: a black one has no NaN.
        amounts = shares * inputs.weights
        weights = amounts if amounts.sum() else shares
        styles = tuple(float(Fraction(w).limit_denominator(SIMPLE)) for w in weights / weights.sum())
        regions.append(Region(tuple(members), styles, float(amounts.sum() / shares.sum())))
    return regions


def overall_weights(inputs: Inputs) -> Sequence[float]:
    """Return the weight of each style in the whole picture; they add up to 1."""
    regions = regions_of(inputs)
    if len(regions) == 1:
        return regions[0].styles
    areas = [region.weight * sum(inputs.style_masks[index].mean() for index in region.members) for region in regions]
    amounts = total([area * np.array(region.styles) for area, region in zip(areas, regions, strict=True)])
    return tuple((amounts / amounts.sum()).tolist()) if amounts.sum() else inputs.weights


def _in_proportion(mask: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two masks are the same but for a factor."""
    if mask.shape != other.shape or not mask.any() or not other.any():
        return False
    return float(np.abs(mask * (other.mean() / mask.mean()) - other).max()) <= PROPORTION


def region_shares(inputs: Inputs, size: Size) -> list[np.ndarray]:
    """Return each region's share of each pixel, [height, width, 1]; nothing where there is one region everywhere."""
    if not inputs.style_masks and inputs.content_mask is None:
        return []
    shares = style_shares(inputs, size)
    found = [total([shares[index] for index in region.members]) for region in regions_of(inputs)]
    return [] if len(found) == 1 and found[0].min() > 1 - PROPORTION else found


def reaches(shares: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return how far the costs of each region may move each pixel, [height, width, 1], from the regions' shares.

    The weights of positions hold the shares already. Here is only told which pixels are a region's own: a pixel that
    has some of a region is moved by all of it, as far as the regions have the pixel at all.
    """
    if not shares:
        return []
    covered, largest = total(shares), np.maximum(functools.reduce(np.maximum, shares), 1e-6)
    return [(covered * np.minimum(share / (FULL_REACH * largest), 1)).astype(np.float32) for share in shares]


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
    stride = stride_of(layer)
    grid = tuple(side // stride for side in style_share.shape[:2])
    weights = empty((*grid, 1))
    for rows in strips(style_share.shape, stride):
        part = style_share[rows]
        for _ in range(block_of(layer) - 1):
            height, width = (side // 2 for side in part.shape[:2])
            part = part[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 1).mean(axis=(1, 3))
        weights[rows.start // stride : rows.start // stride + len(part)] = part
    together = max(mean_of(weights) * weights.size, 1e-6)
    for rows in strips(grid):
        weights[rows] /= together
    return weights.reshape(-1, 1)


def mixed(images: Sequence[np.ndarray], shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of images, each multiplied by its share of the pixels."""
    size = images[0].shape[:2]
    found = empty(images[0].shape)
    for rows in strips(size):
        parts = [share[rows] if share.shape[0] == size[0] else share for share in shares]
        found[rows] = total([image[rows] * part for image, part in zip(images, parts, strict=True)])
    return found


def total(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of one or more arrays that broadcast."""
    return functools.reduce(np.add, arrays)
