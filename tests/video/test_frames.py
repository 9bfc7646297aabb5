"""What stays in a clip stays in the picture."""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW
from scipy.ndimage import gaussian_filter

from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.losses import steadiness_cost
from nst.transfer.scales import plan_scales
from nst.video.flow import warped
from nst.video.frames import Maker, Memory
from nst.video.scenes import find_scenes

pytest.importorskip("av")
pytest.importorskip("cv2")


@pytest.fixture
def maker(shallow_network, style):
    def make(**overrides):
        given = {"size": 96, "smallest_scale": 48, "steps": 4, "frame_steps": 2, **overrides}
        settings = make_settings(overrides={**SHALLOW, **given})
        inputs = Inputs(np.zeros((64, 96, 3), np.float32), (style,), settings)
        scales = plan_scales((64, 96), [style.shape[:2]], settings)
        return Maker(shallow_network, inputs, scales, 10**6)

    return make


def made(maker, frames):
    memory = Memory()
    return [maker.make(memory, frame) for frame in frames], memory


def test_a_still_clip_is_one_picture(maker, pan):
    pictures, memory = made(maker(), [pan[0]] * 3)
    np.testing.assert_array_equal(pictures[1], pictures[0])
    np.testing.assert_array_equal(pictures[2], pictures[0])
    assert memory.number == 3


def test_a_noisy_still_changes_no_more_than_its_noise_and_does_not_drift(maker, pan):
    random = np.random.default_rng(0)
    noisy = [np.clip(pan[0] + random.normal(0, 2 / 255, pan[0].shape), 0, 1).astype(np.float32) for _ in range(8)]
    pictures, _ = made(maker(), noisy)
    changes, of_noise = ([255 * np.abs(b - a).mean() for a, b in pairwise(images)] for images in (pictures, noisy))
    assert max(changes) < min(of_noise)
    smooth = [gaussian_filter(picture, (2, 2, 0)) for picture in pictures]  # The noise itself is no drift.
    assert max(255 * np.abs(picture - smooth[0]).mean() for picture in smooth) < 3


def test_a_pan_moves_the_picture_along(maker, pan):
    """The error along the known motion, against that of frames made each on its own."""

    def error(pictures):
        back = np.broadcast_to(np.array([3, 1], np.float32), (64, 96, 2))
        inner = slice(8, -8), slice(8, -12)
        return np.mean([np.mean((after - warped(before, back))[inner] ** 2) for before, after in pairwise(pictures)])

    together, memory = made(maker(), pan[:5])
    alone = [made(maker(), [frame])[0][0] for frame in pan[:5]]
    assert error(together) < 2e-4
    assert error(together) < error(alone) / 5
    assert memory.ages[20:40, 20:60].min() >= 3
    assert memory.ages[:, -2:].max() <= 2  # has just come in


def test_steadiness_holds_a_picture(maker, pan):
    moves = []
    for steadiness in (0.0, 300.0):
        pictures, _ = made(maker(steadiness=steadiness), [pan[0], np.clip(pan[0] * 0.9 + 0.05, 0, 1)])
        moves.append(np.abs(pictures[1] - pictures[0]).mean())
    assert moves[1] < moves[0]


def test_a_cut_begins_anew_and_a_scene_that_comes_back_looks_the_same(maker, pan, scenery):
    other = np.ascontiguousarray(scenery[20:84, 100:196][::-1, ::-1, ::-1])
    random = np.random.default_rng(1)
    other = np.clip(0.2 * other + 0.8 * random.random(other.shape), 0, 1).astype(np.float32)
    pictures, memory = made(maker(), [pan[0], other, pan[0]])
    alone, _ = made(maker(), [other])
    np.testing.assert_allclose(pictures[1], alone[0], atol=1e-5)
    assert np.abs(pictures[2] - pictures[0]).mean() < 0.05
    assert len(memory.scenes) == 2


@pytest.mark.slow
def test_behind_a_square_that_passes_the_strokes_stay(maker, scenery):
    """Where the square has gone two frames ago or more, the ground looks much as it did before, and has no red."""
    ground, frames = scenery[:64, :96], []
    for left in range(-6, 51, 14):
        frames.append(ground.copy())
        frames[-1][24:44, max(0, left) : left + 20] = [0.9, 0.1, 0.1]
    pictures, _ = made(maker(), [ground, *frames])
    behind = slice(27, 41), slice(4, 20)
    before, after = (picture[behind] for picture in (pictures[0], pictures[-1]))
    assert np.corrcoef((before - before.mean((0, 1))).ravel(), (after - after.mean((0, 1))).ravel())[0, 1] > 0.75
    redness = (after - before)[..., 0] - (after - before)[..., 1]
    assert abs(redness.mean()) < 0.05  # no trail of the square
    square = pictures[-1][27:41, 54:66]
    assert (square[..., 0] - square[..., 1]).mean() > 0.3


@pytest.mark.slow
def test_a_scene_is_the_same_whether_the_frames_before_it_were_made_by_the_same_process(maker, pan):
    dark = [np.ascontiguousarray(1 - image[::-1, :, ::-1]) ** 3 for image in pan[:2]]
    frames = [*pan[:2], *dark, *pan[2:4]]
    whole, memory, begun, endings = maker(), Memory(), [], []
    pictures = []
    for frame in frames:
        pictures.append(whole.make(memory, frame))
        begun.append(memory.begun)
        endings.append(memory.ending())
    scenes = find_scenes(frames)
    assert begun == [scene.first for scene in scenes for _ in range(scene.frames)]
    assert [scene.after for scene in scenes] == [None, None, 0]
    for scene in scenes[1:]:
        before = [] if scene.after is None else [endings[scenes[scene.after].end - 1]]
        alone = Memory(number=scene.first, scenes=deque(before))
        for number in range(scene.first, scene.end):
            np.testing.assert_array_equal(maker().make(alone, frames[number]), pictures[number])


def test_a_frame_that_fails_leaves_the_memory_as_it_was(maker, pan, monkeypatch):
    """Also at a cut, where the memory of the scene is put away."""
    dark = [np.ascontiguousarray(1 - image[::-1, :, ::-1]) ** 3 for image in pan[:2]]
    frames = [pan[0], pan[1], dark[0], pan[2]]

    def fail(*_, **__):
        raise MemoryError

    straight, tried, anew = maker(), maker(), Memory()
    memory = Memory()
    for frame in frames:
        with monkeypatch.context() as patch:
            patch.setattr("nst.video.frames.stylize", fail)
            patch.setattr("nst.video.frames.adam", fail)
            with pytest.raises(MemoryError):
                tried.make(memory, frame)
        assert memory.number == anew.number
        np.testing.assert_array_equal(tried.make(memory, frame), straight.make(anew, frame))
    assert len(memory.scenes) == len(anew.scenes) == 2


def test_a_fade_to_black_ends_black(maker, pan):
    frames = [pan[0] * np.float32(light) for light in (1, 0.75, 0.5, 0.25, 0, 0, 0)]
    pictures, _ = made(maker(), frames)
    means = [picture.mean() for picture in pictures]
    assert all(after < before for before, after in pairwise(means[:5]))
    assert means[-1] < 0.12 * means[0]


def test_the_slope_of_the_steadiness_is_right():
    random = np.random.default_rng(0)
    image, wanted = (tf.constant(random.random((4, 5, 3)), tf.float64) for _ in range(2))
    weights = tf.constant(random.random((4, 5, 1)), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(image)
        cost = steadiness_cost(image, wanted, weights)
    slope = tape.gradient(cost, image).numpy()
    step = np.zeros((4, 5, 3))
    step[2, 3, 1] = 1e-6
    difference = steadiness_cost(image + step, wanted, weights) - steadiness_cost(image - step, wanted, weights)
    np.testing.assert_allclose(float(difference) / 2e-6, slope[2, 3, 1], rtol=1e-6)
    assert slope[2, 3, 1] != 0
    np.testing.assert_allclose(float(cost), np.mean(weights.numpy() * (image.numpy() - wanted.numpy()) ** 2))
