"""The memory that a run takes, and the tiles that keep it within the memory of the machine.

All figures come from the largest resident size of runs on a processor, rounded up; see benchmarks/RESULTS.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from nst.errors import UserError
from nst.network.tensorflow_setup import network_precision
from nst.pictures.resizing import Size
from nst.settings import NO_TILES, Settings
from nst.system.memory import available_mb, held_mb
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX, fits

BASE_MB = {"float32": 1350, "bfloat16": 1100, "float16": 1100}  # The memory of TensorFlow, the weights and the graph.
LEAST_MB = min(BASE_MB.values())
WHOLE_BYTES = 480  # Bytes per pixel of the result: picture, gradient, moments, targets, and those of smaller scales.
EVALUATED_BYTES = {"float32": 1950, "bfloat16": 850, "float16": 2150}  # Bytes per pixel of a picture in one piece.
TILE_BYTES = {"float32": 1250, "bfloat16": 600, "float16": 1300}  # Bytes per pixel of a tile.
LBFGS_BYTES = 600  # More bytes per pixel of the result with L-BFGS: ten pairs of steps and gradients in float64.
GIVEN_BYTES = 12  # Bytes per pixel of the photo and the styles as they are given: three numbers in float32.
STYLE_BASE_MB = 950  # The memory of TensorFlow and the weights while the styles go through the network.
STYLE_BYTES = {"float32": 3250, "bfloat16": 1100, "float16": 3250}  # Bytes per pixel of a style at its largest size.
SHAPE_MB = 50  # The compiled code of a size that is new to the process, which TensorFlow keeps.
SIDES_PX = range(2048, 255, -64)  # The sides of tiles to choose from.
SPARED = 0.1  # The fraction of the free memory that is left to other programs.


@dataclass(frozen=True)
class Sizes:
    """The facts that decide how much memory a run needs.

    result     the size of the picture
    style      the size of the largest style when it is compared with the result
    precision  the type of the network's convolutions, one of EVALUATED_BYTES
    given_px   the pixels of all pictures as they are given
    optimizer  as in Settings
    """

    result: Size
    style: Size
    precision: str
    given_px: int = 0
    optimizer: str = "adam"


def sizes_of(scales: Sequence[Scale], settings: Settings, precision: str, given: Sequence[Size]) -> Sizes:
    """Return the sizes of a run over some scales, from pictures of the given sizes."""
    largest_style = max(scales[-1].style_sizes, key=math.prod)
    return Sizes(scales[-1].size, largest_style, precision, sum(map(math.prod, given)), settings.optimizer)


class MemoryPlan(NamedTuple):
    """How a run is kept within the memory.

    tile_px    the side of the tiles in which larger pictures are computed
    memory_mb  about how many megabytes the run takes
    """

    tile_px: int
    memory_mb: int


def memory_mb(sizes: Sizes, tile_px: int) -> int:
    """Return about how many megabytes a run takes at its largest scale."""
    whole_bytes = WHOLE_BYTES + (LBFGS_BYTES if sizes.optimizer == "lbfgs" else 0)
    picture = whole_bytes * math.prod(sizes.result) + _evaluated(sizes.result, EVALUATED_BYTES, sizes, tile_px)
    style = _evaluated(sizes.style, STYLE_BYTES, sizes, tile_px)
    at_once = max(BASE_MB[sizes.precision] + picture / 1e6, STYLE_BASE_MB + style / 1e6)
    return round(at_once + GIVEN_BYTES * sizes.given_px / 1e6)


def _evaluated(size: Size, bytes_of: dict[str, int], sizes: Sizes, tile_px: int) -> float:
    """Return the bytes that the network takes for an image of a size, in one piece or in tiles.

    bytes_of  by precision, the bytes per pixel of an image in one piece
    """
    whole = bytes_of[sizes.precision] * math.prod(size)
    return whole if fits(size, tile_px) else TILE_BYTES[sizes.precision] * tile_px**2


def plan_tile(sizes: Sizes, settings: Settings, most_mb: float = 0) -> int:
    """Return the side in px of the tiles that keep a run within the free memory and the memory that it may take.

    UNTILED_PX where all fits in one piece. Raises UserError, with the long side that would fit, where nothing does.

    most_mb  the most megabytes to take where settings.max_memory sets no limit; 0 for none
    """
    limit = _limit_mb(settings.max_memory or most_mb)
    if settings.tile == NO_TILES:
        candidates = [UNTILED_PX]
    elif isinstance(settings.tile, int):
        candidates = [settings.tile]
    else:
        candidates = [UNTILED_PX, *SIDES_PX]
    found = next((side for side in candidates if memory_mb(sizes, side) <= limit), None)
    if found is None:
        raise UserError(_too_large(sizes, limit, candidates[-1]))
    return found


def has_outgrown(plan: MemoryPlan, settings: Settings, most_mb: float = 0) -> bool:
    """Return whether this process holds so much of earlier pictures that a run would pass the memory that it may take.

    most_mb  the most megabytes to take where settings.max_memory sets no limit; 0 for none
    """
    left_over = held_mb() - BASE_MB[network_precision(settings.precision)]
    return left_over > 0 and plan.memory_mb + left_over + SHAPE_MB > (settings.max_memory or most_mb or math.inf)


def _limit_mb(most_mb: float) -> float:
    """Return the megabytes that a run may take; the memory that this process holds already is among them."""
    return min((1 - SPARED) * available_mb() + held_mb(), most_mb or math.inf)


def _too_large(sizes: Sizes, limit_mb: float, tile_px: int) -> str:
    """Return the words of the refusal, with the long side that would fit."""
    side = max(sizes.result)
    smaller = (
        (long_side, replace(sizes, result=_scaled(sizes.result, factor), style=_scaled(sizes.style, factor)))
        for factor in (k / 100 for k in range(99, 0, -1))
        for long_side in [round(factor * side)]
    )
    fitting = next((px for px, others in smaller if px >= 16 and memory_mb(others, tile_px) <= limit_mb), None)
    advice = f"--size {fitting} would fit" if fitting else "close other programs or raise --max-memory"
    return f"--size {side}: needs about {memory_mb(sizes, tile_px)} MB of memory, of {limit_mb:.0f} MB there; {advice}"


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(factor * size[0])), max(1, round(factor * size[1]))


def sizes_of_run(inputs: Inputs, scales: Sequence[Scale]) -> Sizes:
    """Return the sizes that decide how much memory a run from these pictures needs."""
    given = [image.shape[:2] for image in (inputs.content, *inputs.styles)]
    return sizes_of(scales, inputs.settings, network_precision(inputs.settings.precision), given)
