"""How much memory a run takes, whether the machine has it, and how large tiles may be so that it has.

All figures are of the largest resident size of runs on a processor, rounded up: see benchmarks/RESULTS.md.
"""

import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nst.errors import UserError
from nst.pictures.picture_files import Size
from nst.settings import NO_TILES, Settings
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX, fits

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

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
MEMORY = Path("/proc/meminfo")
OWN_GROUP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
HELD = Path("/proc/self/statm")


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


def available_mb() -> int | None:
    """Return the megabytes that this program may still take, or None where Linux does not tell."""
    free = [*_free_of_groups()]
    if MEMORY.exists():
        sizes = (line.split() for line in MEMORY.read_text().splitlines())
        free += [int(size) * 1024 for name, size, *_ in sizes if name == "MemAvailable:"]
    return min(free) // 1_000_000 if free else None


def _free_of_groups() -> Iterator[int]:
    """Yield the bytes left in each control group (version 2) around this process: of a container, or a cluster's job.

    Files kept in memory count as free.
    """
    own = OWN_GROUP.read_text() if OWN_GROUP.exists() else ""
    path = next((line.removeprefix("0::/") for line in own.splitlines() if line.startswith("0::/")), None)
    if path is None:
        return
    for group in [GROUPS / path, *(GROUPS / path).parents]:
        if not group.is_relative_to(GROUPS):
            return
        try:
            most = (group / "memory.max").read_text().strip()
            taken = int((group / "memory.current").read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no limit is set at the root, or the group is not shown in here
            continue
        if most.isdigit():
            yield max(0, int(most) - taken + int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0)))


def held_mb() -> int:
    """Return the megabytes that this process holds, which a run in it can use again; 0 where Linux does not tell."""
    if not HELD.exists():
        return 0
    pages = int(HELD.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def peak_mb() -> int | None:
    """Return the most megabytes that this process has held so far, or None where the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def plan_tile(sizes: Sizes, settings: Settings) -> int:
    """Return the side in px of tiles that keep a run within the memory that there is or that the settings allow.

    UNTILED_PX where all fits in one piece. Raises UserError, with the long side that would fit, where nothing does.
    """
    limit = _limit_mb(settings)
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


def _limit_mb(settings: Settings) -> float:
    """Return the megabytes that a run may take; what an earlier one in this process holds still is among them."""
    free = available_mb()
    there = math.inf if free is None else (1 - SPARED) * free + held_mb()
    return min(there, settings.max_memory or math.inf)


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
