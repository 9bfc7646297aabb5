"""The scenes of a clip: where they begin, and which earlier scene they go on from."""

import numpy as np
import pytest

from nst.video.scenes import Scene, change_after, find_scenes

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def dark(pan):
    """Eight frames of another scene."""
    return [np.ascontiguousarray(1 - image[::-1, :, ::-1]) ** 3 for image in pan]


def test_a_clip_without_a_cut_is_one_scene(pan):
    assert find_scenes(pan) == [Scene(0, 0, 8)]
    assert find_scenes([pan[0]] * 3) == [Scene(0, 0, 3)]


def test_a_scene_that_is_seen_again_goes_on_from_its_last_part(pan, dark):
    frames = [*pan[:2], *dark[:3], *pan[2:4], *dark[3:5], *pan[4:5]]
    assert find_scenes(frames) == [
        Scene(0, 0, 2),
        Scene(1, 2, 5),
        Scene(2, 5, 7, after=0),
        Scene(3, 7, 9, after=1),
        Scene(4, 9, 10, after=2),
    ]


def test_only_so_many_earlier_scenes_are_remembered(pan, dark, monkeypatch):
    frames = [pan[0], dark[0], pan[1]]
    assert find_scenes(frames)[-1].after == 0
    monkeypatch.setattr("nst.video.scenes.MOST_SCENES", 1)
    assert find_scenes(frames)[-1].after is None


def test_a_frame_comes_after_another_repeated_moved_or_cut(pan, dark):
    assert change_after(pan[0], pan[0]).repeated
    moved = change_after(pan[0], pan[1])
    assert not moved.repeated and not moved.cut and moved.motion is not None
    assert change_after(pan[0], dark[0]).cut
