"""The memory that is free, held and was held at most, as Linux tells."""

import numpy as np
import pytest

from nst.system.memory import HELD, available_mb, held_mb, peak_mb


def test_a_machine_that_does_not_tell_has_no_number(meminfo):
    assert available_mb() is None
    assert held_mb() == 0
    meminfo.write_text("MemTotal: 1 kB\n")
    assert available_mb() is None


def test_the_limit_of_a_container_or_a_job_counts(meminfo, tmp_path):
    """The least counts of the machine's memory and of what is left in each group around the process."""
    meminfo.write_text("MemAvailable: 30000000 kB\n")
    (tmp_path / "own_group").write_text("0::/slurm/job_7\n")
    inner = tmp_path / "groups" / "slurm" / "job_7"
    inner.mkdir(parents=True)
    for group, most in ((inner.parent, "8000000000"), (inner, "max")):
        (group / "memory.max").write_text(f"{most}\n")
        (group / "memory.current").write_text("3000000000\n")
        (group / "memory.stat").write_text("anon 2500000000\nactive_file 200000000\ninactive_file 300000000\n")
    assert available_mb() == 5500
    meminfo.write_text("MemAvailable: 4000000 kB\n")
    assert available_mb() == 4096


@pytest.mark.skipif(not HELD.exists(), reason="Linux alone tells")
def test_held_memory_grows_with_an_array():
    before = held_mb()
    held = np.ones((300, 1_000_000), np.uint8)
    assert held_mb() - before == pytest.approx(held.nbytes / 1e6, abs=60)
    assert peak_mb() >= held_mb() - 10
