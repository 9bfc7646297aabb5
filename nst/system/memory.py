"""Memory: how much is free, how much this process holds, and the most that it has held."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEMORY = Path("/proc/meminfo")  # The memory of the machine.
OWN_GROUP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")  # The control group of this process, and all.
HELD = Path("/proc/self/statm")  # The memory of this process.


def available_mb() -> int | None:
    """Return the megabytes that this process may still take, or None if the system does not tell."""
    free = [*_free_of_groups()]
    if MEMORY.exists():
        sizes = (line.split() for line in MEMORY.read_text().splitlines())
        free += [int(size) * 1024 for name, size, *_ in sizes if name == "MemAvailable:"]
    return min(free) // 1_000_000 if free else None


def _free_of_groups() -> Iterator[int]:
    """Yield the bytes left in each control group (version 2) of this process, such as a container or a cluster's job.

    The cache of files counts as free.
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
        except (OSError, ValueError):  # The root has no limit, and a container may hide its groups.
            continue
        if most.isdigit():
            yield max(0, int(most) - taken + int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0)))


def held_mb() -> int:
    """Return the megabytes that this process holds and can use again, or 0 if the system does not tell."""
    if not HELD.exists():
        return 0
    pages = int(HELD.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def peak_mb() -> int | None:
    """Return the most megabytes that this process has held so far, or None if the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)
