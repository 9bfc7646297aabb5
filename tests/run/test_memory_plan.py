"""What a run takes of the memory is known before it starts, and tiles are as large as it allows."""

import shutil
from dataclasses import replace

import pytest

from nst.errors import UserError
from nst.network.device import Device
from nst.run.memory_plan import MemoryPlan, Sizes, free_mb, has_outgrown, memory_mb, plan_memory, sizes_of
from nst.settings import Settings
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX


def sizes(long_side, style_side=100, precision="bfloat16", **others):
    return Sizes((long_side // 2, long_side), (style_side, style_side), precision, **others)


def plan_tile(*arguments):
    return plan_memory(*arguments).tile_px


def needed(long_side, tile_px=UNTILED_PX, style_side=100):
    return memory_mb(sizes(long_side, style_side), tile_px)


def test_memory_grows_with_the_pixels_of_picture_and_style():
    base = needed(0)
    assert needed(2000) - base == pytest.approx(4 * (needed(1000) - base), rel=0.01)
    assert needed(2000, style_side=4000) > needed(2000)


def test_what_is_given_and_what_the_optimiser_remembers_counts():
    assert memory_mb(sizes(1000, given_px=100_000_000), UNTILED_PX) == needed(1000) + 1200
    assert memory_mb(sizes(1000, optimizer="lbfgs"), UNTILED_PX) > needed(1000) + 200
    found = sizes_of([Scale((50, 100), ((9, 9), (70, 80), (20, 20)), 1)], Settings(), "float32", [(500, 1000), (7, 8)])
    assert (found.result, found.style, found.given_px) == ((50, 100), (70, 80), 500_056)


def test_tiles_hold_down_what_grows_with_the_picture():
    assert needed(4000, tile_px=512) < 0.5 * needed(4000)
    assert needed(512, tile_px=512) == needed(512)


def test_tiles_are_as_large_as_the_memory_allows(memory):
    memory(30_000)
    assert plan_tile(sizes(3840), Settings()) == UNTILED_PX
    small, large = (plan_tile(sizes(3840), Settings(max_memory=most)) for most in (2500, 3500))
    assert 256 <= small < large < UNTILED_PX
    for tile, most in ((small, 2500), (large, 3500)):
        assert needed(3840, tile) <= most < needed(3840, tile + 64)
    assert plan_tile(sizes(3840), Settings(tile=320)) == 320
    assert plan_tile(sizes(3840), Settings(tile="off")) == UNTILED_PX


def test_what_the_process_holds_is_there_for_its_next_run(memory):
    memory(3_000)
    assert plan_tile(sizes(2000), Settings()) < UNTILED_PX
    memory(3_000, held_mb=4_000)
    assert plan_tile(sizes(2000), Settings()) == UNTILED_PX


def test_a_run_that_cannot_fit_is_refused_with_the_size_that_would(memory):
    memory(3_000)
    with pytest.raises(UserError, match=r"--size 8000: needs about \d+ MB .* of 2700 MB there; --size \d+") as error:
        plan_tile(sizes(8000), Settings())
    fitting = int(str(error.value).split("--size ")[2].split()[0])
    assert 4000 < fitting < 8000
    assert plan_tile(sizes(fitting), Settings()) < UNTILED_PX
    memory(900)
    with pytest.raises(UserError, match="close other programs"):
        plan_tile(sizes(64, precision="float32"), Settings())


def test_what_does_not_fit_in_tiles_goes_into_files(memory, tmp_path):
    memory(4_000)
    plan = plan_memory(sizes(10_000), Settings(), folder=tmp_path / "not" / "there")
    assert plan.tile_px < UNTILED_PX
    assert plan.memory_mb <= 3600 < memory_mb(sizes(10_000), plan.tile_px)
    assert plan.disk_mb > 10_000
    assert not plan_memory(sizes(1000), Settings(), folder=tmp_path).disk_mb
    for others, settings in (({}, Settings(tile="off")), ({"optimizer": "lbfgs"}, Settings())):
        with pytest.raises(UserError, match="would fit"):
            plan_memory(sizes(10_000, **others), settings, folder=tmp_path)


def test_a_result_that_is_only_enlarged_goes_into_files_too(memory, tmp_path):
    memory(4_000)
    small = sizes(256)
    large = replace(small, enlarged=(9_000, 12_000))
    assert memory_mb(small, UNTILED_PX) < 2000 < 5000 < memory_mb(large, UNTILED_PX)
    plan = plan_memory(large, Settings(), folder=tmp_path)
    assert (plan.tile_px, plan.memory_mb < 3600, plan.disk_mb > 5000) == (UNTILED_PX, True, True)
    with pytest.raises(UserError, match=r"--size 12000: needs about \d+ MB .*; --size \d{4} would fit"):
        plan_memory(large, Settings())


def test_frames_and_masks_take_more(memory, tmp_path):
    memory(4_000)
    assert memory_mb(replace(sizes(2000), moving=True), 512) > memory_mb(sizes(2000), 512) + 500
    assert memory_mb(replace(sizes(2000), masks=2), 512) > memory_mb(sizes(2000), 512) + 100
    with pytest.raises(UserError, match="would fit"):
        plan_memory(replace(sizes(10_000), moving=True), Settings(), folder=tmp_path)


def test_a_disk_that_is_too_full_is_told(memory, tmp_path, monkeypatch):
    memory(4_000)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5_000_000_000))
    with pytest.raises(
        UserError, match=r"--size 10000: needs about \d+ MB of memory, of 3600 MB there, or \d+ MB on the"
    ):
        plan_memory(sizes(10_000), Settings(), folder=tmp_path)
    plan_memory(sizes(10_000), Settings(), folder=tmp_path, checkpoint_bytes=15_000_000_000)


def test_without_tiles_less_fits(memory):
    memory(3_000)
    plan_tile(sizes(2000), Settings())
    with pytest.raises(UserError, match="would fit"):
        plan_tile(sizes(2000), Settings(tile="off"))


@pytest.fixture
def gpu(monkeypatch):
    """A GPU with 20 GB free, of which this process holds 1 GB more."""
    there = Device("GPU NVIDIA X", "bfloat16", is_gpu=True)
    monkeypatch.setattr("nst.run.memory_plan.device", lambda: there)
    monkeypatch.setattr("nst.run.memory_plan.free_gpu_mb", lambda: 20_000)
    monkeypatch.setattr("nst.run.memory_plan.held_gpu_mb", lambda: 1_000)


def test_on_a_gpu_its_own_memory_counts(gpu, memory):
    memory(300)
    assert free_mb() == 20_000
    assert plan_tile(sizes(2000), Settings()) == UNTILED_PX
    assert memory_mb(sizes(2000, given_px=10**9), UNTILED_PX) == memory_mb(sizes(2000), UNTILED_PX)
    assert 256 <= plan_tile(sizes(6000), Settings(max_memory=17_000)) < UNTILED_PX
    with pytest.raises(UserError, match=r"--size 90000: needs about \d+ MB of the GPU's memory, of 19000 MB there"):
        plan_tile(sizes(90_000), Settings())
    assert not has_outgrown(MemoryPlan(UNTILED_PX, 1150), Settings(max_memory=100))


def test_a_process_that_holds_much_of_earlier_pictures_is_outgrown(monkeypatch):
    settings = Settings(precision="bfloat16")
    plan = MemoryPlan(UNTILED_PX, 1150)
    for held, outgrown in ((400, False), (1100, False), (1140, False), (1160, True)):
        monkeypatch.setattr("nst.run.memory_plan.held_mb", lambda held=held: held)
        assert has_outgrown(plan, replace(settings, max_memory=1250)) == outgrown
        assert has_outgrown(plan, settings, most_mb=1250) == outgrown
        assert not has_outgrown(plan, settings)
