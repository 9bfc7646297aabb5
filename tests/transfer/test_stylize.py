"""The loop over the scales, from arrays to an array, with a tiny network."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW

from nst.pictures.resizing import resize
from nst.preset_files import make_settings
from nst.settings import Settings
from nst.transfer import stylize as module
from nst.transfer.inputs import Inputs
from nst.transfer.state import Step
from nst.transfer.tiles import UNTILED_PX

SMALL = {**SHALLOW, "size": 56, "smallest_scale": 28, "steps": 3, "coarse_steps": 2.0}


def inputs_of(content, *styles, style_masks=(), **overrides):
    return Inputs(content, styles, make_settings(overrides={**SMALL, **overrides}), style_masks=style_masks)


def test_result_has_the_size_and_every_step_is_reported(redrawn, tiny_network, content, style):
    """With the layers that are the default."""
    steps, pictures = [], []

    def on_step(step, picture, state):
        steps.append(step)
        pictures.append(picture())

    settings = Settings(size=64, smallest_scale=32, steps=3, coarse_steps=2.0)
    image = redrawn(Inputs(content, (style,), settings), tiny_network, on_step=[on_step])
    assert image.shape == (46, 64, 3)
    assert image.dtype == np.float32
    assert [step.number for step in steps] == list(range(1, 10))
    assert [max(step.size) for step in steps] == [32] * 6 + [64] * 3
    assert steps[-1].costs["total"] < steps[0].costs["total"]
    np.testing.assert_array_equal(pictures[-1], image)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "lbfgs"},
        {"init": "noise"},
        {"match_weight": 0.0, "compose": 0.0, "color_weight": 0.0},
        {"balance": False},
        {"rotations": 4},
        {"preserve_color": "histogram"},
        {"style_loss": "covariance"},
    ],
)
def test_same_settings_same_pixels(redrawn, content, style, changes):
    first, again = (redrawn(inputs_of(content, style, **changes)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("changes", [{}, {"match_weight": 0.0}, {"average": 1.0}, {"preserve_color": "luminance"}])
def test_resumed_is_straight_through(redrawn, content, style, changes):
    """From the state after any step, in the first scale or the last, the same pixels and the numbers that follow."""
    states, numbers = [], []
    whole = redrawn(inputs_of(content, style, **changes), on_step=[lambda *told: states.append(told[2]())])
    for state in (states[0], states[-2]):
        numbers.clear()
        image = redrawn(
            inputs_of(content, style, **changes), resume=state, on_step=[lambda step, *_: numbers.append(step.number)]
        )
        np.testing.assert_array_equal(image, whole)
        assert numbers == list(range(state.steps + 1, 10))


def test_a_run_out_of_memory_goes_on_in_smaller_tiles(redrawn, content, style, monkeypatch):
    """From its last step, to nearly the same pixels, as often as there are smaller tiles."""
    make, numbers, told = module.make_evaluate, [], []

    def make_short_of_memory(network, view, settings, *, tile_px):
        evaluate = make(network, view, settings, tile_px=tile_px)

        def run_out(image):
            if numbers[-1:] == [{UNTILED_PX: 4, 64: 7}.get(tile_px)]:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
            return evaluate(image)

        return run_out

    whole = redrawn(inputs_of(content, style, size=130))
    monkeypatch.setattr("nst.transfer.tiles.SIDES_PX", range(64, 31, -32))
    monkeypatch.setattr(module, "make_evaluate", make_short_of_memory)
    image = redrawn(
        inputs_of(content, style, size=130),
        on_step=[lambda step, *_: numbers.append(step.number)],
        on_tiles=told.append,
    )
    assert told == [64, 32]
    assert numbers == list(range(1, numbers[-1] + 1))
    np.testing.assert_allclose(image, whole, atol=0.05)
    assert np.abs(image - whole).mean() < 1e-3


@pytest.mark.parametrize("tile", ["off", 64])
def test_a_run_out_of_memory_keeps_to_the_tiles_that_are_asked_for(redrawn, content, style, monkeypatch, tile):
    def run_out(*arguments, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(module, "make_evaluate", run_out)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        redrawn(inputs_of(content, style, tile=tile), on_tiles=lambda _: pytest.fail("other tiles"))


def test_a_resumed_run_makes_no_first_picture_of_a_scale_that_is_done(redrawn, content, style, monkeypatch):
    states, sizes = [], []
    redrawn(inputs_of(content, style), on_step=[lambda *told: states.append(told[2]())])
    first_picture = module.first_picture
    monkeypatch.setattr(module, "first_picture", lambda inputs, size: sizes.append(size) or first_picture(inputs, size))
    redrawn(inputs_of(content, style), resume=states[0])
    assert sizes == [(40, 56)]
    redrawn(inputs_of(content, style), resume=states[-1])
    assert sizes == [(40, 56)]


def test_no_cost_keeps_the_content(redrawn, content):
    """With the content as its own style and start there is nothing to gain, so nothing is lost."""
    inputs = inputs_of(content, content, smallest_scale=56, optimizer="lbfgs")
    np.testing.assert_allclose(redrawn(inputs), content, atol=0.02)


def test_without_strength_the_photo_stays(redrawn, content, style):
    np.testing.assert_allclose(redrawn(inputs_of(content, style, strength=0.0)), content, atol=0.01)
    assert np.abs(redrawn(inputs_of(content, style)) - content).mean() > 0.1


def test_two_styles_left_and_right(redrawn, content):
    dark, light = (np.full((40, 40, 3), value, np.float32) for value in (0.2, 0.8))
    left = np.repeat((np.arange(56) < 28)[None], 40, axis=0).astype(np.float32)
    image = redrawn(inputs_of(content, dark, light, style_masks=(left, 1 - left)))
    assert image[:, :24].mean() < 0.4 < 0.6 < image[:, 32:].mean()


def test_a_blend_lies_between_its_styles(redrawn, content):
    dark, light = (np.full((40, 40, 3), value, np.float32) for value in (0.2, 0.8))
    means = [redrawn(inputs_of(content, dark, light, style_weights=[9, weight])).mean() for weight in (1, 9, 81)]
    assert means[0] < means[1] < means[2]


def test_the_time_is_estimated_before_the_first_step(redrawn, content, style):
    events = []
    redrawn(inputs_of(content, style), on_step=[lambda step, *_: events.append(step)], on_estimate=events.append)
    assert 0 < events[0] < 60
    assert all(isinstance(event, Step) for event in events[1:])
    redrawn(inputs_of(content, style, max_time=1e-6), on_estimate=events.append)
    assert events[-1] == 1e-6


def test_beyond_the_largest_scale_the_picture_is_only_enlarged(redrawn, content, style):
    steps = []
    image = redrawn(
        inputs_of(content, style, largest_scale=28),
        on_step=[lambda step, picture, state: steps.append((max(step.size), picture(), state()))],
    )
    assert image.shape == (40, 56, 3)
    assert [size for size, *_ in steps] == [28] * 3
    assert np.abs(resize(image, (20, 28)) - steps[-1][1]).mean() < 0.05
    for _, _, state in steps:
        np.testing.assert_array_equal(redrawn(inputs_of(content, style, largest_scale=28), resume=state), image)
