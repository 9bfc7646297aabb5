"""Optimisers lower the cost, keep pixels in range, and give the same pixels again."""

import numpy as np
import pytest
import tensorflow as tf

from nst.errors import RunError
from nst.network.device import Device
from nst.settings import Settings
from nst.transfer import optimizers
from nst.transfer.optimizers import adam_step, minimize, steps_late
from nst.transfer.pyramid import make_pyramid
from nst.transfer.scales import Scale
from nst.transfer.state import Descent

TARGET = np.random.default_rng(2).uniform(-0.2, 1.2, (20, 24, 3)).astype(np.float32)  # partly out of reach
START = np.full((20, 24, 3), 0.5, np.float32)


def by_number(steps):
    return lambda so_far, totals: so_far / steps


def run(steps, settings, report, late=0):
    pyramid = make_pyramid(Scale((20, 24), ((20, 24),), steps), TARGET, settings)
    return minimize(evaluate, Descent(START), pyramid, by_number(steps), settings, report=report, late=late)


def evaluate(image):
    """A cost with a known lowest point: the target, clipped."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(tf.square(image - TARGET))
    return {"total": total}, tape.gradient(total, image)


SETTINGS = {
    "adam in bands": Settings(),
    "adam on pixels": Settings(basis="pixels"),
    "adam, constant rate": Settings(decay="none", learning_rate=2),
    "lbfgs": Settings(optimizer="lbfgs"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_cost_falls_within_bounds_and_repeatably(name):
    costs, pictures = [], []

    def report(found, descent):
        costs.append(found["total"])
        pictures.append(descent().image)

    first = run(40, SETTINGS[name], report)
    again = run(40, SETTINGS[name], lambda *_: None)
    assert costs[-1] < 0.5 * costs[0]
    assert len(costs) <= 41
    assert all(picture.min() >= 0 and picture.max() <= 1 for picture in [*pictures, first])
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ["adam in bands", "adam on pixels", "adam, constant rate"])
def test_resumed_is_straight_through(name):
    """From the state after any step, Adam's moments among it, the same pixels."""
    states = []
    settings = SETTINGS[name]
    whole = run(6, settings, lambda _, descent: states.append(descent()))
    for state in states:
        pyramid = make_pyramid(Scale((20, 24), ((20, 24),), 6), TARGET, settings)
        np.testing.assert_array_equal(
            minimize(evaluate, state, pyramid, by_number(6), settings, report=lambda *_: None), whole
        )


def test_only_a_gpu_reads_late_and_not_where_costs_end_a_scale(monkeypatch):
    for is_gpu, settings, late in (
        (False, Settings(), 0),
        (True, Settings(), 1),
        (True, Settings(until_converged=True), 0),
    ):
        monkeypatch.setattr(optimizers, "device", lambda is_gpu=is_gpu: Device("X", "float32", is_gpu))
        assert steps_late(settings) == late


@pytest.mark.parametrize("late", [1, 3])
def test_steps_are_the_same_when_their_numbers_are_read_late(late):
    settings, states, late_states = Settings(), [], []
    at_once = run(6, settings, lambda _, descent: states.append(descent()))
    behind = run(6, settings, lambda _, descent: late_states.append(descent()), late)
    np.testing.assert_array_equal(behind, at_once)
    assert len(late_states) == len(states) == 6
    for state, other in zip(states, late_states, strict=True):
        assert state.totals == other.totals
        np.testing.assert_array_equal(state.image, other.image)
        np.testing.assert_array_equal(state.result, other.result)


def broken(numbers, what):
    """Return `evaluate` that gives NaN for `what`, "total" or the gradient, in the calls whose number is given."""
    calls = []

    def fail_at_times(image):
        calls.append(image.numpy())
        costs, gradient = evaluate(image)
        if len(calls) in numbers:
            return ({"total": costs["total"] * np.nan}, gradient) if what == "total" else (costs, gradient * np.nan)
        return costs, gradient

    return fail_at_times, calls


@pytest.mark.parametrize("what", ["total", "gradient"])
@pytest.mark.parametrize("name", SETTINGS)
def test_bad_numbers_go_back_to_the_last_good_picture(name, what):
    costs, rates = [], []

    def report(found, descent):
        costs.append(found["total"])
        rates.append(descent().rate)

    fails, calls = broken({4, 9}, what)
    pyramid = make_pyramid(Scale((20, 24), ((20, 24),), 20), TARGET, SETTINGS[name])
    found = minimize(fails, Descent(START), pyramid, by_number(20), SETTINGS[name], report=report)
    assert np.isfinite(costs).all()
    assert np.isfinite(found).all()
    assert costs[-1] < 0.9 * costs[0]
    assert all(np.isfinite(image).all() for image in calls)
    if name != "lbfgs":
        assert rates[-1] == 0.25
        assert len(costs) == 20


@pytest.mark.parametrize("what", ["total", "gradient"])
@pytest.mark.parametrize("bad", [{4, 9}, {20}, {1, 3}])
def test_bad_numbers_that_are_read_late_go_back_too(what, bad):
    costs, pictures = [], []

    def report(found, descent):
        costs.append(found["total"])
        pictures.append(descent())

    fails, _ = broken(bad, what)
    pyramid = make_pyramid(Scale((20, 24), ((20, 24),), 20), TARGET, Settings())
    found = minimize(fails, Descent(START), pyramid, by_number(20), Settings(), report=report, late=1)
    assert np.isfinite(costs).all()
    assert len(costs) == 20
    assert pictures[-1].rate == 0.5 ** len(bad)
    np.testing.assert_array_equal(found, pictures[-1].result)


@pytest.mark.parametrize("what", ["total", "gradient"])
@pytest.mark.parametrize("name", SETTINGS)
def test_bad_numbers_that_stay_end_the_run_with_the_last_good_picture(name, what):
    pictures = []
    fails, calls = broken(range(4, 100), what)
    pyramid = make_pyramid(Scale((20, 24), ((20, 24),), 20), TARGET, SETTINGS[name])
    with pytest.raises(RunError, match="numbers are out of hand"):
        minimize(
            fails,
            Descent(START),
            pyramid,
            by_number(20),
            SETTINGS[name],
            report=lambda _, descent: pictures.append(descent().image),
        )
    assert len(calls) == 3 + 4
    assert np.isfinite(pictures[-1]).all()


def test_lbfgs_finds_the_lowest_point_within_bounds():
    found = run(40, Settings(optimizer="lbfgs"), lambda *_: None)
    np.testing.assert_allclose(found, TARGET.clip(0, 1), atol=1e-3)


def test_first_step_on_pixels_is_the_learning_rate():
    """Adam's first step has the size of the learning rate, in levels of 255, whatever the gradient."""
    settings = Settings(basis="pixels", learning_rate=5)
    moved = run(1, settings, lambda *_: None) - START
    np.testing.assert_allclose(np.abs(moved), 5 / 255, rtol=1e-3)


@pytest.mark.parametrize(("average", "averaged"), [(0.25, 2), (1.0, 8), (0.0, 0)])
def test_the_result_is_the_mean_of_the_last_pictures(average, averaged):
    pictures = []
    found = run(8, Settings(average=average), lambda _, descent: pictures.append(descent().image))
    expected = np.mean(pictures[-averaged:], axis=0) if averaged else pictures[-1]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_adam_is_keras():
    """On pixels that no bound stops, the same picture as by Keras' optimiser."""
    settings = Settings(basis="pixels", decay="none", learning_rate=2, average=0.0)
    variable = tf.Variable(START)
    optimizer = tf.keras.optimizers.Adam(2 / 255, settings.beta1, settings.beta2, epsilon=1e-12)
    for _ in range(8):
        optimizer.apply_gradients([(evaluate(variable.read_value())[1], variable)])
    np.testing.assert_allclose(run(8, settings, lambda *_: None), variable, atol=1e-6)


def test_a_second_picture_of_any_size_takes_no_new_graph():
    run(2, Settings(), lambda *_: None)
    step = adam_step(len(make_pyramid(Scale((20, 24), ((20, 24),), 1), TARGET, Settings()).sizes))
    traced = step.experimental_get_tracing_count()
    small = Scale((18, 24), ((18, 24),), 1)
    pyramid, picture = make_pyramid(small, TARGET, Settings()), START[:18]
    minimize(
        lambda image: ({"total": tf.reduce_sum(image)}, tf.ones_like(image)),
        Descent(picture),
        pyramid,
        by_number(2),
        Settings(),
        report=lambda *_: None,
    )
    assert step.experimental_get_tracing_count() == traced == 1


def test_steps_are_exactly_as_many_as_asked():
    steps = []
    run(7, Settings(), lambda costs, _: steps.append(costs))
    assert len(steps) == 7
