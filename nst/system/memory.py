"""TODO."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]
MEMORY = Path("/proc/meminfo")
OWN_GROUP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
HELD = Path("/proc/self/statm")


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
