"""An order for a picture, and its result."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nst.batch.orders import PictureResult, make, write_files
from nst.report.status import DONE
from nst.run.memory_plan import MemoryPlan
from nst.run.record import deciding
from nst.transfer.tiles import UNTILED_PX
from nst.video.scenes import Scene


def changed(order, **changes):
    """Return an order with changes in its request."""
    return replace(order, request=replace(order.request, **changes))


def test_a_share_of_the_memory_is_planned_with_and_leaves_no_trace(order, monkeypatch):
    planned = []

    def plan(sizes, settings, most_mb, **others):
        planned.append(settings.max_memory or most_mb)
        return MemoryPlan(UNTILED_PX, 1000)

    monkeypatch.setattr("nst.run.job.plan_memory", plan)
    assert make(replace(order, most_mb=1500)).state == DONE
    assert json.loads(Path("here/art/settings.json").read_text())["settings"]["max_memory"] == 0
    settings = replace(order.request.settings, max_memory=2000.0)
    assert make(replace(changed(order, settings=settings, overwrite=True), most_mb=1500)).state == DONE
    assert planned == [1500, 2000]
    assert not {"threads", "max_memory", "tile"} & deciding(order.request.settings).keys()


def test_a_scene_is_done_only_when_all_its_frames_are_written(order, tmp_path):
    """Its ending, by which it counts as done, is written after its frames, in whatever order they come."""
    scenes = tmp_path / "scenes"
    (scenes / "frames" / "0000000.mp4").mkdir(parents=True)  # In the way.
    made = PictureResult(DONE, files={"0003/ending.npz": b"ending", "frames/0000000.mp4": b"frames"})
    with pytest.raises(OSError):
        write_files(replace(changed(order, output=scenes / "0003.mp4"), scene=Scene(3, 0, 2)), made)
    assert not (scenes / "0003" / "ending.npz").exists()
