"""How much memory a run takes, whether the machine has it, and how large tiles may be so that it has.

All figures are of the largest resident size of runs on a processor, rounded up: see benchmarks/RESULTS.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nst.errors import UserError
from nst.network.tensorflow_setup import network_precision
from nst.pictures.resizing import Size
from nst.settings import NO_TILES, Settings
from nst.system.memory import available_mb, held_mb
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX, fits

BASE_MB = 1000  # TensorFlow, the weights and the graph
WHOLE_BYTES = 300  # per pixel of the result: picture, gradient, moments, targets, and those of smaller scales
EVALUATED_BYTES = {"float32": 2900, "bfloat16": 1150, "float16": 2800}  # per pixel evaluated in one piece
TILE_BYTES = {"float32": 2600, "bfloat16": 900, "float16": 2500}  # per pixel of a tile
LBFGS_BYTES = 600  # per pixel of the result, more: ten pairs of steps and gradients in float64
GIVEN_BYTES = 12  # per pixel of the photo and the styles as they are given: three numbers in float32
STYLE_BYTES = 150  # per pixel of a style at its largest size
STYLE_SHARE = 0.5  # of what a pixel evaluated takes: of a style's, only activations
SIDES_PX = range(2048, 255, -64)  # of tiles, to choose from
SPARED = 0.1  # of what is free, for other programs


@dataclass(frozen=True)
class Sizes:
    """What a run needs memory for.

    result     the size of the picture
    style      that of the largest style, as it is compared with the result
    precision  of the network, one of EVALUATED_BYTES
    given_px   pixels of all pictures as they are given
    optimizer  as in Settings
    """

    result: Size
    style: Size
    precision: str
    given_px: int = 0
    optimizer: str = "adam"


def sizes_of(scales: Sequence[Scale], settings: Settings, precision: str, given: Sequence[Size]) -> Sizes:
    """Return what needs most memory in a run from pictures of the given sizes."""
    largest_style = max(scales[-1].style_sizes, key=math.prod)
    return Sizes(scales[-1].size, largest_style, precision, sum(map(math.prod, given)), settings.optimizer)


def memory_mb(sizes: Sizes, tile_px: int) -> int:
    """Return about how many megabytes a run takes at its largest scale."""
    evaluated = max(_evaluated(sizes.result, sizes, tile_px), STYLE_SHARE * _evaluated(sizes.style, sizes, tile_px))
    whole_bytes = WHOLE_BYTES + (LBFGS_BYTES if sizes.optimizer == "lbfgs" else 0)
    whole = max(whole_bytes * math.prod(sizes.result), STYLE_BYTES * math.prod(sizes.style))
    return round(BASE_MB + (whole + evaluated + GIVEN_BYTES * sizes.given_px) / 1e6)


def _evaluated(size: Size, sizes: Sizes, tile_px: int) -> float:
    """Return the bytes that the network takes for a picture, whole or in tiles."""
    whole = EVALUATED_BYTES[sizes.precision] * math.prod(size)
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


def _limit_mb(most_mb: float) -> float:
    """Return the megabytes that a run may take; the memory that this process holds already is among them."""
    free = available_mb()
    there = math.inf if free is None else (1 - SPARED) * free + held_mb()
    return min(there, most_mb or math.inf)


def _too_large(sizes: Sizes, limit_mb: float, tile_px: int) -> str:
    """Return what is wrong and what would fit, in words."""
    side = max(sizes.result)
    smaller = (
        (long_side, replace(sizes, result=_scaled(sizes.result, share), style=_scaled(sizes.style, share)))
        for share in (k / 100 for k in range(99, 0, -1))
        for long_side in [round(share * side)]
    )
    fitting = next((px for px, others in smaller if px >= 16 and memory_mb(others, tile_px) <= limit_mb), None)
    advice = f"--size {fitting} would fit" if fitting else "close other programs or raise --max-memory"
    return f"--size {side}: needs about {memory_mb(sizes, tile_px)} MB of memory, of {limit_mb:.0f} MB there; {advice}"


def _scaled(size: Size, share: float) -> Size:
    return max(1, round(share * size[0])), max(1, round(share * size[1]))


def sizes_of_run(inputs: Inputs, scales: Sequence[Scale]) -> Sizes:
    """Return the sizes that decide how much memory a run from these pictures needs."""
    given = [image.shape[:2] for image in (inputs.content, *inputs.styles)]
    return sizes_of(scales, inputs.settings, network_precision(inputs.settings.precision), given)
