"""The memory that is free, held and was held at most, on each system."""

import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from nst.system import memory as module
from nst.system.memory import available_mb, held_mb, peak_mb


def test_the_free_memory_is_a_part_of_the_machine_s():
    assert 0 < available_mb() <= psutil.virtual_memory().total / 1e6


def test_the_limit_of_a_container_or_a_job_counts(memory, tmp_path):
    """The least counts of the machine's memory and of what is left in each group around the process."""
    memory(30_000)
    assert available_mb() == 30_000
    (tmp_path / "own_group").write_text("0::/slurm/job_7\n")
    inner = tmp_path / "groups" / "slurm" / "job_7"
    inner.mkdir(parents=True)
    for group, most in ((inner.parent, "8000000000"), (inner, "max")):
        (group / "memory.max").write_text(f"{most}\n")
        (group / "memory.current").write_text("3000000000\n")
        (group / "memory.stat").write_text("anon 2500000000\nactive_file 200000000\ninactive_file 300000000\n")
    assert available_mb() == 5_500
    memory(4_000)
    assert available_mb() == 4_000


def test_held_memory_grows_with_an_array():
    before = held_mb()
    held = np.ones((300, 1_000_000), np.uint8)
    assert held_mb() - before == pytest.approx(held.nbytes / 1e6, abs=60)
    assert peak_mb() >= held_mb() - 10


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("linux", 1024)])
def test_a_peak_is_told_in_the_unit_of_the_system(monkeypatch, platform, unit):
    usage = SimpleNamespace(ru_maxrss=3_000_000_000 // unit)
    monkeypatch.setattr(module, "resource", SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: usage))
    monkeypatch.setattr(sys, "platform", platform)
    assert peak_mb() == 3_000


def test_a_peak_is_known_on_windows(monkeypatch):
    monkeypatch.setattr(module, "resource", None)
    monkeypatch.setattr(psutil.Process, "memory_info", lambda self: SimpleNamespace(rss=1, peak_wset=2_400_000_000))
    assert peak_mb() == 2_400
