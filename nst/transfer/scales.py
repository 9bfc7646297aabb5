"""The scales of a run, coarse to fine: at each, the sizes of the picture and of the styles, and the number of steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nst.errors import UserError
from nst.layers import SMALLEST_SIDE_PX
from nst.pictures.resizing import Size, size_with_long_side
from nst.settings import ORIGINAL_SIZE, Settings

LARGE_PX = 512  # The long side beyond which scales have fewer steps.


@dataclass(frozen=True)
class Scale:
    """One size at which the picture is optimised. Sizes are (height, width) in px.

    steps    0 where the picture is only enlarged
    settled  whether the picture comes from a coarser scale, so that only fine detail is left to be made
    """

    size: Size
    style_sizes: tuple[Size, ...]
    steps: int
    settled: bool = False

    @property
    def work(self) -> int:
        """Return the number of pixels that all steps see together. A scale's time is in proportion to it."""
        return self.size[0] * self.size[1] * self.steps


def plan_scales(content_size: Size, style_sizes: Sequence[Size], settings: Settings) -> list[Scale]:
    """Return the scales, smallest first, from about settings.smallest_scale to settings.size.

    Each scale is about twice as large as the one before, and gets its steps by its long side; see steps_at. A result
    beyond settings.largest_scale is a scale without steps. Raises UserError where the result would be so narrow that
    nothing is left of it in VGG19's last block.
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
    painted_px = min(long_side_px, settings.largest_scale or long_side_px)
    sides = _long_sides(painted_px, settings.smallest_scale)
    for long_side in sides if painted_px == long_side_px else [*sides, long_side_px]:
        size = size_with_long_side(content_size, long_side)
        if min(size) >= SMALLEST_SIDE_PX:
            steps = steps_at(long_side, painted_px, settings) if long_side <= painted_px else 0
            sizes = tuple(
                _style_size(style_size, round(factor * long_side))
                for style_size, factor in zip(style_sizes, factors, strict=True)
            )
            scales.append(Scale(size, sizes, steps, settled=bool(scales)))
    if not any(scale.steps for scale in scales):
        raise UserError(
            f"--largest-scale {settings.largest_scale}: there a side of the picture would be less than "
            f"{SMALLEST_SIDE_PX} px; give a larger one"
        )
    return scales


def painted_scale(scales: Sequence[Scale]) -> Scale:
    """Return the largest scale that has steps."""
    return next(scale for scale in scales[::-1] if scale.steps)


def steps_at(long_side_px: int, result_px: int, settings: Settings) -> int:
    """Return the steps of a scale: `steps` at the result's size or at LARGE_PX, whichever is smaller.

    From there, each halving of the long side multiplies the steps by `coarse_steps`, and each doubling multiplies them
    by `fine_steps`. Beyond LARGE_PX, shapes larger than the network sees are settled, and only fine detail is left.
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
    """Return a style's size at a scale. A narrow style is enlarged, as it would vanish in the network."""
    height, width = size_with_long_side(size, long_side_px)
    return (
        (height, width)
        if min(height, width) >= SMALLEST_SIDE_PX
        else size_with_long_side(size, math.ceil(max(size) / min(size) * SMALLEST_SIDE_PX))
    )


def _wxh(size: Size) -> str:
    return f"{size[1]}x{size[0]} px"
