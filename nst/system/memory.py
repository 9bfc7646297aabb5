"""Memory: how much is free, how much this process holds, and the most that it has held."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

OWN_GROUP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")  # The control group of this process, and all.


def available_mb() -> int:
    """Return the megabytes that this process may still take."""
    return min([psutil.virtual_memory().available, *_free_of_groups()]) // 1_000_000


def _free_of_groups() -> Iterator[int]:
    """Yield the bytes left in each control group (version 2) of this process, such as a container or a cluster's job.

    The cache of files counts as free.
    """
    try:
        own = OWN_GROUP.read_text()
    except OSError:  # Only Linux has such groups.
        return
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
    """Return the megabytes that this process holds and can use again."""
    return psutil.Process().memory_info().rss // 1_000_000


def peak_mb() -> int:
    """Return the most megabytes that this process has held so far."""
    if resource is None:
        return round(psutil.Process().memory_info().peak_wset / 1e6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)
