"""How much memory a run takes, and whether the machine has it.

Measured as the largest resident size of a run of one step on a processor with bfloat16, at 448x336 and 800x600 px: 1466
and 2510 MB in float32, 1066 and 1579 MB in bfloat16, 1194 and 2190 MB in float16. A tenth is added.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from nst.errors import UserError
from nst.scales import Scale

BASE_MB = 1000  # TensorFlow, the weights and the graph
BYTES_PER_PIXEL = {"float32": 3500, "bfloat16": 1750, "float16": 3350}  # of the picture: activations and gradients
STYLE_SHARE = 0.5  # of a style's pixel: its activations alone
MEMORY = Path("/proc/meminfo")


def memory_mb(scales: Sequence[Scale], precision: str) -> int:
    """Return about how many megabytes a run takes at its largest scale, whose precision is one of BYTES_PER_PIXEL."""
    largest = scales[-1]
    pixels = largest.size[0] * largest.size[1]
    style_pixels = max(height * width for height, width in largest.style_sizes)
    return round(BASE_MB + BYTES_PER_PIXEL[precision] * max(pixels, STYLE_SHARE * style_pixels) / 1e6)


def available_mb() -> int | None:
    """Return the megabytes that programs may still take, or None where Linux does not tell."""
    if not MEMORY.exists():
        return None
    sizes = (line.split() for line in MEMORY.read_text().splitlines())
    return next((int(size) // 1000 for name, size, *_ in sizes if name == "MemAvailable:"), None)


def check_memory(scales: Sequence[Scale], precision: str) -> None:
    """Raise UserError, with the long side that would fit, where a run takes more memory than there is."""
    needed, there = memory_mb(scales, precision), available_mb()
    if there is None or needed <= there:
        return
    share = max(0.0, (there - BASE_MB) / (needed - BASE_MB))
    fits = math.floor(max(scales[-1].size) * math.sqrt(share))
    advice = f"--size {fits} would fit" if fits >= 16 else "close other programs"
    raise UserError(f"--size {max(scales[-1].size)}: needs about {needed} MB of memory, of {there} MB there; {advice}")
