"""The scales of a run, coarse to fine: how large the picture and the style are at each, and how many steps it gets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nst.errors import UserError
from nst.layers import SMALLEST_SIDE_PX
from nst.pictures.resizing import Size, size_with_long_side
from nst.settings import ORIGINAL_SIZE, Settings

LARGE_PX = 512  # the long side beyond which scales have fewer steps


@dataclass(frozen=True)
class Scale:
    """One size at which the picture is optimised. Sizes are (height, width) in px."""

    size: Size
    style_sizes: tuple[Size, ...]
    steps: int
    settled: bool = False  # whether the picture comes from a coarser scale, which leaves only fine detail to be made

    @property
    def work(self) -> int:
        """Return the pixels that all steps see together, for shares of the time."""
        return self.size[0] * self.size[1] * self.steps


def plan_scales(content_size: Size, style_sizes: Sequence[Size], settings: Settings) -> list[Scale]:
    """Return the scales, smallest first, in steps as near to a factor of two as `smallest_scale` to `size` allows.

    Each gets its steps by its long side, see steps_at. Raises UserError where the result would be so
    narrow that nothing is left of it in VGG19's last block.
    """
    long_side_px = max(content_size) if settings.size == ORIGINAL_SIZE else int(settings.size)
    result = size_with_long_side(content_size, long_side_px)
    if min(result) < SMALLEST_SIDE_PX:
        raise UserError(
            f"content {_wxh(content_size)}: the result would be {_wxh(result)}, but VGG19 halves a picture four "
            f"times and needs {SMALLEST_SIDE_PX} px a side; use a larger --size or a less narrow picture"
        )
    factors = settings.style_scale if len(settings.style_scale) > 1 else settings.style_scale * len(style_sizes)
    scales: list[Scale] = []
    for long_side in _long_sides(long_side_px, settings.smallest_scale):
        size = size_with_long_side(content_size, long_side)
        if min(size) >= SMALLEST_SIDE_PX:
            steps = steps_at(long_side, long_side_px, settings)
            sizes = tuple(
                _style_size(style_size, round(factor * long_side))
                for style_size, factor in zip(style_sizes, factors, strict=True)
            )
            scales.append(Scale(size, sizes, steps, settled=bool(scales)))
    return scales


def steps_at(long_side_px: int, result_px: int, settings: Settings) -> int:
    """Return the steps of a scale: `steps` at the result's size or at LARGE_PX, whichever is smaller.

    Each halving from there has `coarse_steps` times as many, each doubling `fine_steps` times: what is larger than the
    network sees is settled by then, and only fine detail is left to be made.
    """
    doublings = math.log2(long_side_px / min(result_px, LARGE_PX))
    factor = settings.fine_steps**doublings if doublings > 0 else settings.coarse_steps**-doublings
    return max(1, round(settings.steps * factor))


def _long_sides(largest: int, smallest: int) -> list[int]:
    """Return the long sides from about `smallest` to exactly `largest`."""
    halvings = max(0, round(math.log2(largest / smallest)))
    ratio = (largest / smallest) ** (1 / halvings) if halvings else 1
    return [round(largest / ratio**k) for k in reversed(range(halvings + 1))]


def _style_size(size: Size, long_side_px: int) -> Size:
    """Return the style's size at a scale, enlarged where a narrow style would vanish in the network."""
    height, width = size_with_long_side(size, long_side_px)
    return (
        (height, width)
        if min(height, width) >= SMALLEST_SIDE_PX
        else size_with_long_side(size, math.ceil(max(size) / min(size) * SMALLEST_SIDE_PX))
    )


def _wxh(size: Size) -> str:
    return f"{size[1]}x{size[0]} px"
