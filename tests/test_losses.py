"""Each cost: a known answer from NumPy, a gradient by finite differences, and a gradient that is not zero."""

import numpy as np
import pytest
import tensorflow as tf

from nst.losses import content_cost, gram_matrix, style_cost, style_statistics, total_variation

RANDOM = np.random.default_rng(0)
GENERATED = RANDOM.normal(size=(30, 5))
STYLE = RANDOM.normal(size=(12, 5))  # another number of positions


def test_gram_of_ones_counts_positions():
    assert np.array_equal(gram_matrix(tf.ones([7, 3])), np.full((3, 3), 7))


def test_gram_matches_numpy():
    np.testing.assert_allclose(gram_matrix(tf.constant(GENERATED)), GENERATED.T @ GENERATED)


def test_style_cost_is_the_formula_of_gatys_where_sizes_agree():
    """1 / (4 nC² (nH nW)²) sum (GM(S) - GM(G))², written out."""
    style = RANDOM.normal(size=GENERATED.shape)
    positions, channels = GENERATED.shape
    expected = np.sum((style.T @ style - GENERATED.T @ GENERATED) ** 2) / (4 * channels**2 * positions**2)
    cost = style_cost(style_statistics(tf.constant(GENERATED)), style_statistics(tf.constant(style)))
    np.testing.assert_allclose(cost, expected)


def test_style_cost_divides_each_gram_by_its_own_positions():
    expected = np.sum((STYLE.T @ STYLE / 12 - GENERATED.T @ GENERATED / 30) ** 2) / (4 * 5**2)
    cost = style_cost(style_statistics(tf.constant(GENERATED)), style_statistics(tf.constant(STYLE)))
    np.testing.assert_allclose(cost, expected)


def test_style_cost_does_not_see_where_things_are():
    shuffled = RANDOM.permutation(GENERATED)
    cost = style_cost(style_statistics(tf.constant(GENERATED)), style_statistics(tf.constant(shuffled)))
    np.testing.assert_allclose(cost, 0, atol=1e-20)


def test_content_cost_matches_numpy():
    other = RANDOM.normal(size=GENERATED.shape)
    expected = np.sum((GENERATED - other) ** 2) / (4 * 30 * 5)
    np.testing.assert_allclose(content_cost(tf.constant(GENERATED), tf.constant(other)), expected)


def test_total_variation_of_a_checkerboard_and_of_a_flat_picture():
    checkerboard = np.indices((6, 8)).sum(axis=0) % 2
    image = np.repeat(checkerboard[..., None], 3, axis=-1).astype(np.float64)
    assert total_variation(tf.constant(image)) == 2  # every neighbour differs by 1, down and right
    assert total_variation(tf.ones([6, 8, 3])) == 0


COSTS = {
    "style": lambda x: style_cost(style_statistics(x), style_statistics(tf.constant(STYLE))),
    "content": lambda x: content_cost(x, tf.constant(GENERATED[::-1].copy())),
    "total_variation": lambda x: total_variation(tf.reshape(x, [5, 10, 3])),
}


@pytest.mark.parametrize("name", COSTS)
def test_gradient_equals_finite_differences(name):
    cost, point = COSTS[name], tf.constant(GENERATED)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = cost(point)
    gradient = tape.gradient(value, point).numpy()
    assert np.abs(gradient).max() > 1e-3
    for _ in range(5):
        direction = RANDOM.normal(size=GENERATED.shape)
        ahead, behind = cost(point + 1e-5 * direction), cost(point - 1e-5 * direction)
        np.testing.assert_allclose(np.sum(gradient * direction), (ahead - behind) / 2e-5, rtol=1e-6)
