"""Adam for pictures in tiles takes the steps of Adam, whatever the strips, and none where numbers are bad."""

import numpy as np
import pytest
import tensorflow as tf

from nst.errors import RunError
from nst.preset_files import make_settings
from nst.system import large_arrays
from nst.transfer import strip_bands
from nst.transfer.optimizers import minimize
from nst.transfer.pyramid import make_pyramid, make_strip_pyramid
from nst.transfer.scales import Scale
from nst.transfer.state import Descent

SIZE = (53, 87)
RANDOM = np.random.default_rng(0)
START, WANTED = (RANDOM.random((*SIZE, 3)).astype(np.float32) for _ in range(2))
PALETTE = RANDOM.random((20, 20, 3)).astype(np.float32) * np.float32([1, 0.5, 0.2])


def evaluate(image):
    apart = tf.convert_to_tensor(image) - WANTED
    return {"total": tf.reduce_sum(apart**2)}, (2 * apart).numpy()


def done(steps, totals):
    return steps / 6


def painted(settings, pyramid, start, report=lambda *_: None, evaluate=evaluate):
    return minimize(evaluate, start, pyramid, done, settings, report=report)


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("basis", ["bands", "pixels"])
@pytest.mark.parametrize("strip_px", [600, 10**6])
def test_its_steps_are_those_of_adam(monkeypatch, strip_px, basis, settled):
    monkeypatch.setattr(large_arrays, "STRIP_PX", strip_px)
    settings, scale = make_settings(overrides={"basis": basis}), Scale(SIZE, (SIZE,), 6, settled)
    whole = painted(settings, make_pyramid(scale, PALETTE, settings), Descent(START))
    inside = painted(settings, make_strip_pyramid(scale, PALETTE, settings), Descent(START.copy()))
    assert np.abs(whole - START).mean() > 0.02
    np.testing.assert_allclose(inside, whole, atol=3e-5)


def test_it_goes_on_from_a_state_that_is_not_to_be_written_to():
    settings, scale = make_settings(), Scale(SIZE, (SIZE,), 6)
    pyramid, states = make_strip_pyramid(scale, PALETTE, settings), []

    def keep(numbers, descent):
        found = descent()
        states.append(
            Descent(
                found.image.copy(),
                found.totals,
                tuple(moment.copy() for moment in found.moments),
                found.rate,
                None if found.mean is None else found.mean.copy(),
                found.averaged,
            )
        )

    whole = painted(settings, pyramid, Descent(START.copy()), keep)
    for state in states[2], states[4]:
        kept = [array for array in (state.image, state.mean, *state.moments) if isinstance(array, np.ndarray)]
        for array in kept:
            array.setflags(write=False)
        np.testing.assert_array_equal(painted(settings, pyramid, state), whole)
    with pytest.raises(RunError, match="damaged or of another version"):
        painted(settings, make_strip_pyramid(Scale((20, 30), (SIZE,), 6), PALETTE, settings), states[0])


@pytest.mark.parametrize("bad", ["cost", "gradient"])
def test_where_numbers_are_bad_no_step_is_taken(bad):
    settings, scale, calls, pictures = make_settings(), Scale(SIZE, (SIZE,), 6), [], []
    pyramid = make_strip_pyramid(scale, PALETTE, settings)

    def fails(image):
        calls.append(image.copy())
        costs, gradient = evaluate(image)
        if len(calls) == 3 and bad == "gradient":
            gradient[5, 5] = np.nan
        return ({"total": tf.constant(np.nan)} if len(calls) == 3 and bad == "cost" else costs), gradient

    words = {"cost": r"\(total cost nan\); lower", "gradient": r"\(the gradient\); lower"}[bad]
    with pytest.raises(RunError, match=words):
        painted(settings, pyramid, Descent(START.copy()), lambda _, descent: pictures.append(descent().image), fails)
    np.testing.assert_array_equal(calls[2], pictures[1])
    assert len(pictures) == 2


def test_a_step_without_room_changes_nothing(monkeypatch):
    settings, scale, states = make_settings(), Scale(SIZE, (SIZE,), 6), []
    pyramid = make_strip_pyramid(scale, PALETTE, settings)
    whole = painted(settings, pyramid, Descent(START.copy()))
    make, count = strip_bands.zeros, []

    def runs_out(shape):
        count.append(shape)
        if len(count) > 3 * (len(pyramid.sizes) - 1) + 2:  # Within the fourth step.
            raise MemoryError
        return make(shape)

    monkeypatch.setattr(strip_bands, "zeros", runs_out)
    with pytest.raises(MemoryError):
        painted(settings, pyramid, Descent(START.copy()), lambda _, descent: states.append(descent))
    monkeypatch.setattr(strip_bands, "zeros", make)
    assert len(states) == 3
    np.testing.assert_array_equal(painted(settings, pyramid, states[-1]()), whole)
