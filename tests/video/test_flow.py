"""The motion of a clip, what is new in a frame, and pictures that move along."""

from itertools import pairwise

import numpy as np
import pytest

from nst.pictures.resizing import resize
from nst.video.flow import motion, warped
from nst.video.scenes import colors_apart, is_cut, is_repeated

pytest.importorskip("av")
pytest.importorskip("cv2")


def test_the_flow_of_a_pan_is_the_pan(pan):
    moved = motion(pan[0], pan[2])
    inner = moved.back[12:-12, 12:-12]
    np.testing.assert_allclose(np.median(inner, axis=(0, 1)), [6, 2], atol=0.3)
    assert moved.known[12:-12, 12:-16].mean() > 0.9
    assert moved.known[:, -5:].mean() < 0.1  # comes in from the right


def test_the_ground_behind_a_square_is_new(scenery):
    frames = [scenery[:64, :96].copy() for _ in range(2)]
    for number, frame in enumerate(frames):
        frame[20:40, 20 + 14 * number : 40 + 14 * number] = [0.9, 0.1, 0.1]
    moved = motion(*frames)
    assert moved.known[22:38, 22:32].mean() < 0.5
    assert moved.known[5:60, 65:90].mean() > 0.9


@pytest.mark.parametrize("light", [1.0, 0.97])
def test_no_ground_is_taken_from_a_square_that_passes(scenery, light):
    """From its way in at one edge to its way out at the other, also while the light changes."""
    height, width = scenery.shape[:2]
    frames, covered = [], []
    for number, left in enumerate(range(-12, width, 9)):
        frames.append(scenery * np.float32(light**number))
        covered.append(np.zeros((height, width), np.float32))
        frames[-1][20:44, max(0, left) : left + 24] = np.float32([0.9, 0.1, 0.1]) * light**number
        covered[-1][20:44, max(0, left) : left + 24] = 1
    wrong = ground = 0
    for (before, after), (there, here) in zip(pairwise(frames), pairwise(covered), strict=True):
        moved = motion(before, after)
        taken = (warped(there, moved.back) > 0.5) & (moved.known > 0.5) & (here == 0)
        wrong += taken.sum()
        ground += ((there == 1) & (here == 0)).sum()
    assert ground > 1000
    assert wrong < 0.01 * ground


def test_lanczos_keeps_detail_over_many_frames(scenery):
    image, soft = scenery[:64, :96], scenery[:64, :96]
    half = np.full((64, 96, 2), 0.5, np.float32)
    for number in range(10):
        back = half if number % 2 else -half
        image, soft = warped(image, back, sharp=True), warped(soft, back)

    def detail(picture):
        return np.abs(np.diff(picture[8:-8, 8:-8], axis=1)).mean()

    assert detail(image) > 0.8 * detail(scenery[:64, :96]) > 1.4 * detail(soft)


def test_a_repeated_frame_is_one(pan):
    random = np.random.default_rng(0)
    assert is_repeated(pan[0], pan[0] + random.uniform(-0.0005, 0.0005, pan[0].shape))
    assert not is_repeated(pan[0], pan[1])


def test_a_cut_is_told_from_a_flash_and_a_fade(scenery):
    one, other = scenery[:64, :96], resize(scenery[::-1, ::-1, ::-1], (64, 96))
    assert colors_apart(one, one) == 0
    assert is_cut(one, other, motion(one, other).known)
    for name, later in (("flash", np.minimum(1, one + 0.3)), ("fade", 0.85 * one), ("same", one)):
        assert not is_cut(one, later, motion(one, later).known), name


def test_a_dissolve_is_no_cut(scenery):
    """Frames of a scene that becomes another one in eight steps. A dissolve has no moment at which to begin anew."""
    one, other = scenery[:64, :96], resize(scenery[::-1, ::-1, ::-1], (64, 96))
    frames = [(1 - part) * one + part * other for part in np.linspace(0, 1, 9, dtype=np.float32)]
    for before, after in pairwise(frames):
        assert not is_cut(before, after, motion(before, after).known)


@pytest.mark.parametrize("threads", [1, 4])
def test_the_flow_does_not_depend_on_threads(pan, threads):
    cv2 = pytest.importorskip("cv2")
    before = cv2.getNumThreads()
    expected = motion(pan[0], pan[1])
    cv2.setNumThreads(threads)
    try:
        np.testing.assert_array_equal(motion(pan[0], pan[1]).back, expected.back)
    finally:
        cv2.setNumThreads(before)
