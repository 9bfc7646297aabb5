"""What a run takes of the memory is known before it starts."""

import pytest

from nst.errors import UserError
from nst.memory import available_mb, check_memory, memory_mb
from nst.scales import Scale


def scales(long_side, style_side=100):
    return [Scale((64, 64), ((64, 64),), 4), Scale((long_side // 2, long_side), ((style_side, style_side),), 2)]


@pytest.fixture
def meminfo(tmp_path, monkeypatch):
    path = tmp_path / "meminfo"
    monkeypatch.setattr("nst.memory.MEMORY", path)
    return path


def test_memory_grows_with_the_pixels_of_picture_and_style():
    small, large = (memory_mb(scales(side), "float32") for side in (1000, 2000))
    assert (small, large) == (1000 + 1750, 1000 + 7000)
    assert memory_mb(scales(1000), "bfloat16") < small
    assert memory_mb(scales(1000, style_side=2000), "float32") == 1000 + 7000


def test_a_run_that_cannot_fit_is_refused_with_the_size_that_would(meminfo):
    meminfo.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    check_memory(scales(2000), "float32")
    with pytest.raises(
        UserError, match=r"--size 4000: needs about 29000 MB .* of 8000 MB there; --size 2000 would fit"
    ):
        check_memory(scales(4000), "float32")
    meminfo.write_text("MemAvailable:    900000 kB\n")
    with pytest.raises(UserError, match="close other programs"):
        check_memory(scales(64), "float32")


def test_a_machine_that_does_not_tell_is_believed(meminfo):
    assert available_mb() is None
    check_memory(scales(20000), "float32")
    meminfo.write_text("MemTotal: 1 kB\n")
    assert available_mb() is None
