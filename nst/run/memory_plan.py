"""The memory that a run takes, and the tiles and files that keep it within the memory of the machine.

The figures come from the largest resident size of runs on a processor, rounded up; see benchmarks/RESULTS.md. Those of
GPUs are estimates, until benchmarks/gpu.py has run on one.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from nst.errors import UserError
from nst.network.device import device, free_gpu_mb, held_gpu_mb, network_precision
from nst.pictures.resizing import Size
from nst.settings import NO_TILES, Settings
from nst.system.memory import available_mb, held_mb
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale, painted_scale
from nst.transfer.tiles import SIDES_PX, UNTILED_PX, fits


class Figures(NamedTuple):
    """What a run takes of the memory of a device, in megabytes or bytes, by precision where that matters.

    base_mb        TensorFlow, the weights and the graph
    whole          for each pixel of the result: picture, gradient, moments, targets, and those of smaller scales
    in_tiles       the same of a picture in tiles. It has no second picture; on a GPU all this is the machine's
    in_files       the same with large arrays in files
    on_disk        for each pixel of the result, the bytes of these files and of two checkpoints
    evaluated      for each pixel of a picture in one piece
    tile           for each pixel of a tile
    style_base_mb  TensorFlow and the weights while the styles go through the network
    style          for each pixel of a style at its largest size
    given          for each pixel of the photo and the styles as they are given: three numbers in float32
    """

    base_mb: dict[str, int]
    whole: int
    in_tiles: dict[str, int]
    in_files: int
    on_disk: int
    evaluated: dict[str, int]
    tile: dict[str, int]
    style_base_mb: int
    style: dict[str, int]
    given: int


PROCESSOR = Figures(
    base_mb={"float32": 1350, "bfloat16": 1100, "float16": 1100},
    whole=480,
    in_tiles={"float32": 220, "bfloat16": 160, "float16": 220},
    in_files=15,
    on_disk=330,
    evaluated={"float32": 2120, "bfloat16": 850, "float16": 2150},
    tile={"float32": 1500, "bfloat16": 1350, "float16": 1500},
    style_base_mb=950,
    style={"float32": 1950, "bfloat16": 750, "float16": 1950},
    given=12,
)
GPU = Figures(
    base_mb={"float32": 1000, "bfloat16": 1000, "float16": 1000},
    whole=480,
    in_tiles={"float32": 50, "bfloat16": 50, "float16": 50},
    in_files=0,
    on_disk=0,
    evaluated={"float32": 1950, "bfloat16": 1000, "float16": 1000},
    tile={"float32": 1500, "bfloat16": 1350, "float16": 1350},
    style_base_mb=1000,
    style={"float32": 3250, "bfloat16": 1100, "float16": 1100},
    given=0,
)
LEAST_MB = min(PROCESSOR.base_mb.values())
ENLARGED_BYTES = 48  # For each pixel of a picture that is only enlarged: four pictures that are there at once.
MASK_BYTES = 40  # For each pixel of the result and each mask: shares, weights of positions and a gradient.
LBFGS_BYTES = 600  # More bytes per pixel of the result with L-BFGS: ten pairs of steps and gradients in float64.
STRIPS_MB = 100  # The strips of large arrays in files that are in memory at once.
SHAPE_MB = 50  # The compiled code of a size that is new to the process, which TensorFlow keeps.
SPARED = 0.1  # The fraction of the free memory that is left to other programs.


def figures() -> Figures:
    """Return the figures of the device that computes."""
    return GPU if device().is_gpu else PROCESSOR


@dataclass(frozen=True)
class Sizes:
    """The facts that decide how much memory a run needs.

    result     the size of the picture
    style      the size of the largest style when it is compared with the result
    precision  the type of the network's convolutions, as Figures have it
    given_px   the pixels of all pictures as they are given
    optimizer  as in Settings
    enlarged   the size of the result where it is only enlarged from `result`, or None
    masks      the number of masks on the picture
    moving     whether the pictures are frames, whose steps are taken as of a picture in one piece
    """

    result: Size
    style: Size
    precision: str
    given_px: int = 0
    optimizer: str = "adam"
    enlarged: Size | None = None
    masks: int = 0
    moving: bool = False


def sizes_of(scales: Sequence[Scale], settings: Settings, precision: str, given: Sequence[Size]) -> Sizes:
    """Return the sizes of a run over some scales, from pictures of the given sizes."""
    painted, last = painted_scale(scales), scales[-1]
    largest_style = max(painted.style_sizes, key=math.prod)
    enlarged = None if last.steps else last.size
    return Sizes(painted.size, largest_style, precision, sum(map(math.prod, given)), settings.optimizer, enlarged)


class MemoryPlan(NamedTuple):
    """How a run is kept within the memory.

    tile_px    the side of the tiles in which larger pictures are computed
    memory_mb  about how many megabytes the run takes
    disk_mb    about how many megabytes large arrays take in files; 0 where they are in memory
    """

    tile_px: int
    memory_mb: int
    disk_mb: int = 0


def memory_mb(sizes: Sizes, tile_px: int, *, in_files: bool = False) -> int:
    """Return about how many megabytes of the device's memory a run takes at its largest scale.

    in_files  whether large arrays are in files
    """
    takes, precision = figures(), sizes.precision
    if fits(sizes.result, tile_px) or sizes.moving:
        whole_bytes = takes.whole
    else:
        whole_bytes = takes.in_files if in_files else takes.in_tiles[precision]
    whole_bytes += MASK_BYTES * sizes.masks + (LBFGS_BYTES if sizes.optimizer == "lbfgs" else 0)
    picture = whole_bytes * math.prod(sizes.result) + _evaluated(sizes.result, takes.evaluated, sizes, tile_px)
    style = _evaluated(sizes.style, takes.style, sizes, tile_px)
    at_once = max(takes.base_mb[precision] + picture / 1e6, takes.style_base_mb + style / 1e6)
    enlarged_px = math.prod(sizes.enlarged) if sizes.enlarged else 0
    more = takes.given * sizes.given_px + (takes.in_files if in_files else ENLARGED_BYTES) * enlarged_px
    return round(at_once + more / 1e6 + STRIPS_MB * in_files)


def _evaluated(size: Size, bytes_of: dict[str, int], sizes: Sizes, tile_px: int) -> float:
    """Return the bytes that the network takes for an image of a size, in one piece or in tiles.

    bytes_of  by precision, the bytes per pixel of an image in one piece
    """
    whole = bytes_of[sizes.precision] * math.prod(size)
    return whole if fits(size, tile_px) else figures().tile[sizes.precision] * tile_px**2


def plan_memory(
    sizes: Sizes, settings: Settings, most_mb: float = 0, *, folder: Path | None = None, checkpoint_bytes: int = 0
) -> MemoryPlan:
    """Return the plan that keeps a run within the free memory and the memory that it may take.

    Tiles are of UNTILED_PX where all fits in one piece. Where nothing fits, large arrays go into files. Raises
    UserError, with the long side that would fit, where even so nothing does, or the disk is too full.

    most_mb  the most megabytes to take of the machine's memory where settings.max_memory sets no limit; 0 for none
    folder   where files may be; None for none
    checkpoint_bytes  those of an earlier part of the run there, which are replaced
    """
    limit = _limit_mb(settings.max_memory or (0 if device().is_gpu else most_mb))
    if settings.tile == NO_TILES:
        candidates = [UNTILED_PX]
    elif isinstance(settings.tile, int):
        candidates = [settings.tile]
    else:
        candidates = [UNTILED_PX, *SIDES_PX]
    for side in candidates:
        if memory_mb(sizes, side) <= limit:
            return MemoryPlan(side, memory_mb(sizes, side))
    if not folder or device().is_gpu or sizes.optimizer != "adam" or sizes.moving:
        raise UserError(_too_large(sizes, limit, candidates[-1], in_files=False))
    for side in candidates:
        if (not fits(sizes.result, side) or sizes.enlarged) and memory_mb(sizes, side, in_files=True) <= limit:
            return _in_files(sizes, side, limit, folder, checkpoint_bytes)
    raise UserError(_too_large(sizes, limit, candidates[-1], in_files=True))


def _in_files(sizes: Sizes, tile_px: int, limit_mb: float, folder: Path, checkpoint_bytes: int) -> MemoryPlan:
    """Return the plan of a run whose large arrays are in files. Raises UserError where the disk is too full."""
    there = next(path for path in (folder.absolute() / "x").parents if path.exists())
    enlarged = ENLARGED_BYTES * math.prod(sizes.enlarged) if sizes.enlarged else 0
    disk_mb = round((figures().on_disk * math.prod(sizes.result) + enlarged) / 1e6)
    free = (shutil.disk_usage(there).free + checkpoint_bytes) // 1_000_000
    if disk_mb > free:
        needs = f"needs about {memory_mb(sizes, tile_px)} MB of memory, of {limit_mb:.0f} MB there"
        disk = f"or {disk_mb} MB on the disk of {there}, of {free} MB there"
        side = max(sizes.enlarged or sizes.result)
        raise UserError(f"--size {side}: {needs}, {disk}; give -o on a disk with more room")
    return MemoryPlan(tile_px, memory_mb(sizes, tile_px, in_files=True), disk_mb)


def has_outgrown(plan: MemoryPlan, settings: Settings, most_mb: float = 0) -> bool:
    """Return whether this process holds so much of earlier pictures that a run would pass the memory that it may take.

    most_mb  the most megabytes to take where settings.max_memory sets no limit; 0 for none
    """
    if device().is_gpu:  # A picture of another size leaves nothing there.
        return False
    left_over = held_mb() - PROCESSOR.base_mb[network_precision(settings.precision)]
    return left_over > 0 and plan.memory_mb + left_over + SHAPE_MB > (settings.max_memory or most_mb or math.inf)


def _limit_mb(most_mb: float) -> float:
    """Return the megabytes that a run may take; the memory that this process holds already is among them."""
    held = held_gpu_mb() if device().is_gpu else held_mb()
    return min((1 - SPARED) * free_mb() + held, most_mb or math.inf)


def _too_large(sizes: Sizes, limit_mb: float, tile_px: int, *, in_files: bool) -> str:
    """Return the words of the refusal, with the long side that would fit."""
    side = max(sizes.enlarged or sizes.result)
    smaller = (
        (long_side, _smaller(sizes, factor))
        for factor in (k / 100 for k in range(99, 0, -1))
        for long_side in [round(factor * side)]
    )
    fitting = next(
        (px for px, others in smaller if px >= 16 and memory_mb(others, tile_px, in_files=in_files) <= limit_mb), None
    )
    advice = f"--size {fitting} would fit" if fitting else "close other programs or raise --max-memory"
    needs = (
        f"needs about {memory_mb(sizes, tile_px, in_files=in_files)} MB of {memory_words()}, of {limit_mb:.0f} MB there"
    )
    return f"--size {side}: {needs}; {advice}"


def free_mb() -> int:
    """Return the megabytes that are free in the device's memory."""
    return free_gpu_mb() if device().is_gpu else available_mb()


def memory_words() -> str:
    """Return the words for the device's memory."""
    return "the GPU's memory" if device().is_gpu else "memory"


def _smaller(sizes: Sizes, factor: float) -> Sizes:
    """Return the sizes of a run whose result is smaller."""
    if sizes.enlarged:
        return replace(sizes, enlarged=_scaled(sizes.enlarged, factor))
    return replace(sizes, result=_scaled(sizes.result, factor), style=_scaled(sizes.style, factor))


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(factor * size[0])), max(1, round(factor * size[1]))


def sizes_of_run(inputs: Inputs, scales: Sequence[Scale], *, moving: bool = False) -> Sizes:
    """Return the sizes that decide how much memory a run needs from these pictures, or from these first frames."""
    given = [image.shape[:2] for image in (inputs.content, *inputs.styles)]
    found = sizes_of(scales, inputs.settings, network_precision(inputs.settings.precision), given)
    return replace(found, masks=len(inputs.style_masks) + (inputs.content_mask is not None), moving=moving)
