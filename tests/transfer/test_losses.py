"""Each cost: a known answer from NumPy, a gradient by finite differences, and a gradient that is not zero."""

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from nst.transfer.losses import (
    STYLE_LOSSES,
    color_distances,
    color_structure_cost,
    content_cost,
    gram_cost,
    gram_matrix,
    gram_statistics,
    match_cost,
    match_sums,
    total_variation,
    trace_of_root_product,
)

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
    cost = gram_cost(gram_statistics(tf.constant(GENERATED)), gram_statistics(tf.constant(style)))
    np.testing.assert_allclose(cost, expected)


def test_style_cost_divides_each_gram_by_its_own_positions():
    expected = np.sum((STYLE.T @ STYLE / 12 - GENERATED.T @ GENERATED / 30) ** 2) / (4 * 5**2)
    cost = gram_cost(gram_statistics(tf.constant(GENERATED)), gram_statistics(tf.constant(STYLE)))
    np.testing.assert_allclose(cost, expected)


def test_style_cost_does_not_see_where_things_are():
    shuffled = RANDOM.permutation(GENERATED)
    cost = gram_cost(gram_statistics(tf.constant(GENERATED)), gram_statistics(tf.constant(shuffled)))
    np.testing.assert_allclose(cost, 0, atol=1e-20)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_style_losses_do_not_see_where_things_are_and_are_0_for_the_same_statistics(name):
    loss = STYLE_LOSSES[name]
    ours, same, other = (
        loss.statistics(tf.constant(x.astype(np.float32))) for x in (GENERATED, RANDOM.permutation(GENERATED), STYLE)
    )
    np.testing.assert_allclose(loss.cost(ours, loss.target(same)), 0, atol=2e-3)
    assert loss.cost(ours, loss.target(other)) > 0.02


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_statistics_of_bfloat16_are_float32_and_near(name):
    features = tf.constant(RANDOM.uniform(size=(4000, 8)), tf.float32)
    found = STYLE_LOSSES[name].statistics(tf.cast(features, tf.bfloat16))
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, STYLE_LOSSES[name].statistics(features), rtol=5e-3)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_equal_shares_are_no_shares_and_positions_without_share_are_not_seen(name):
    statistics = STYLE_LOSSES[name].statistics
    equal = np.full((30, 1), 1 / 30)
    np.testing.assert_allclose(
        statistics(tf.constant(GENERATED), tf.constant(equal)), statistics(tf.constant(GENERATED))
    )
    some = np.where(np.arange(30)[:, None] < 10, 0.1, 0)
    np.testing.assert_allclose(
        statistics(tf.constant(GENERATED), tf.constant(some)), statistics(tf.constant(GENERATED[:10])), atol=1e-12
    )


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_statistics_of_two_pictures_together_are_the_mean_of_theirs(name):
    """So the blend of two styles is the style of both side by side."""
    statistics = STYLE_LOSSES[name].statistics
    other = RANDOM.normal(size=GENERATED.shape)
    both = statistics(tf.constant(np.concatenate([GENERATED, other])))
    np.testing.assert_allclose(both, (statistics(tf.constant(GENERATED)) + statistics(tf.constant(other))) / 2)


def gaussian(x):
    return x.mean(axis=0), np.cov(x.T, bias=True)


def test_covariance_cost_is_the_wasserstein_distance_of_gaussians():
    random = np.random.default_rng(1)
    x, y = (random.normal(size=(400, 6)) @ random.normal(size=(6, 6)) + random.normal(size=6) for _ in range(2))
    (m, A), (n, B) = gaussian(x), gaussian(y)
    root = scipy.linalg.sqrtm(A)
    expected = np.sum((m - n) ** 2) + np.trace(A + B - 2 * scipy.linalg.sqrtm(root @ B @ root).real)
    loss = STYLE_LOSSES["covariance"]
    ours, theirs = (loss.statistics(tf.constant(z.astype(np.float32))) for z in (x, y))
    np.testing.assert_allclose(loss.cost(ours, loss.target(theirs)), expected / 6, rtol=1e-3)


def test_moments_cost_is_the_difference_of_means_and_deviations():
    statistics, cost, _ = STYLE_LOSSES["moments"]
    expected = sum(np.mean((f(GENERATED, axis=0) - f(STYLE, axis=0)) ** 2) for f in (np.mean, np.std))
    np.testing.assert_allclose(cost(statistics(tf.constant(GENERATED)), statistics(tf.constant(STYLE))), expected)


def test_the_trace_of_a_root_has_the_slope_that_numpy_finds():
    random = np.random.default_rng(2)
    A, B, D = (m @ m.T / 8 for m in random.normal(size=(3, 6, 8)))

    def trace(a):
        root = scipy.linalg.sqrtm(B)
        return np.trace(scipy.linalg.sqrtm(root @ a @ root).real)

    a = tf.constant(A.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(a)
        value = trace_of_root_product(a, tf.constant(scipy.linalg.sqrtm(B).astype(np.float32)))
    np.testing.assert_allclose(value, trace(A), rtol=1e-3)
    slope = np.sum(tape.gradient(value, a).numpy() * D)
    np.testing.assert_allclose(slope, (trace(A + 1e-5 * D) - trace(A - 1e-5 * D)) / 2e-5, rtol=1e-2)


@pytest.mark.parametrize("name", STYLE_LOSSES)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_style_losses_of_one_colour_stay_finite(name, value):
    """Activations that do not vary have no covariance and no deviation."""
    loss = STYLE_LOSSES[name]
    flat, target = tf.fill([20, 4], value), loss.target(loss.statistics(tf.constant(STYLE[:, :4].astype(np.float32))))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        found = loss.cost(loss.statistics(flat), target)
    assert np.isfinite(found)
    assert np.isfinite(tape.gradient(found, flat)).all()


def test_covariance_cost_of_few_bfloat16_positions_is_finite():
    """Fewer positions than channels, whose covariance has no room for rounding."""
    loss = STYLE_LOSSES["covariance"]
    ours, theirs = (
        loss.statistics(tf.cast(tf.constant(RANDOM.uniform(5, 6, (40, 256))), tf.bfloat16)) for _ in range(2)
    )
    assert 0 < loss.cost(ours, loss.target(theirs)) < 1


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
    "gram": lambda x: gram_cost(gram_statistics(x), gram_statistics(tf.constant(STYLE))),
    "moments": lambda x: STYLE_LOSSES["moments"].cost(
        *map(STYLE_LOSSES["moments"].statistics, (x, tf.constant(STYLE)))
    ),
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


def gradient_and_slope(cost, x):
    """Return the norm of the gradient of a cost, and the slope along it by finite differences."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = cost(x)
    gradient = tape.gradient(value, x)
    direction = gradient / tf.norm(gradient)
    ahead, behind = (float(cost(x + sign * 1e-2 * direction)) for sign in (1, -1))
    return float(tf.norm(gradient)), (ahead - behind) / 2e-2


def test_match_cost_is_one_less_the_cosine():
    """Two layers, the second with one position for two places, in NumPy; and its gradient."""
    random = np.random.default_rng(0)
    fine, coarse = (random.uniform(size=(n, 3)).astype(np.float32) for n in (2, 1))
    wanted = [random.uniform(size=(n, m, 3)).astype(np.float32) for n, m in ((2, 1), (1, 2))]
    weights = np.array([[0.25], [0.5]], np.float32)
    factors = (2.0, 0.5)

    def cost(fine):
        parts = [
            match_sums(features, factor * target, tf.fill(target.shape[:2], factor**2))
            for features, factor, target in zip((fine, coarse), factors, wanted, strict=True)
        ]
        return tf.reduce_sum(match_cost(tf.add_n([tf.reshape(part, [2, 2]) for part in parts]), weights))

    expected = 0
    for place in range(2):
        h = np.concatenate([factors[0] * fine[place], factors[1] * coarse[0]])
        t = np.concatenate([wanted[0][place, 0], wanted[1][0, place]])
        expected += weights[place, 0] * (1 - h @ t / np.linalg.norm(h))
    np.testing.assert_allclose(cost(fine), expected, rtol=1e-5)
    norm, slope = gradient_and_slope(cost, tf.constant(fine))
    assert norm > 0.01
    np.testing.assert_allclose(slope, norm, rtol=0.01)


def test_the_gradient_of_match_sums_reaches_a_position_from_all_its_places():
    random = np.random.default_rng(1)
    wanted = tf.constant(random.uniform(size=(5, 4, 3)), tf.float32)
    upstream = tf.constant(random.uniform(size=(5, 4, 2)), tf.float32)
    squares = tf.constant(random.uniform(size=(5, 4)), tf.float32)
    features = tf.constant(random.uniform(size=(5, 3)), tf.float32)
    norm, slope = gradient_and_slope(lambda x: tf.reduce_sum(upstream * match_sums(x, wanted, squares)), features)
    np.testing.assert_allclose(slope, norm, rtol=0.01)


def test_color_structure_cost_is_the_mean_difference_of_distances():
    colors = np.float32([[0, 0, 0], [1, 0, 0], [0, 0.5, 0]])
    apart = np.linalg.norm(colors[:, None] - colors, axis=-1)
    np.testing.assert_allclose(color_distances(colors), apart, atol=0.011)
    wanted = color_distances(2 * colors)
    np.testing.assert_allclose(color_structure_cost(colors, wanted), apart.mean(), atol=0.01)
    np.testing.assert_allclose(
        color_structure_cost(colors[::-1] + 0.3, color_distances(colors)[::-1, ::-1]), 0, atol=1e-6
    )
    norm, slope = gradient_and_slope(lambda x: color_structure_cost(x, wanted), tf.constant(colors))
    assert norm > 0.01
    np.testing.assert_allclose(slope, norm, rtol=0.02)


def test_content_cost_counts_positions_by_weight():
    random = np.random.default_rng(2)
    features, target = (random.uniform(size=(4, 3)).astype(np.float32) for _ in range(2))
    weights = np.float32([[0], [1], [2], [0.5]])
    expected = np.sum(weights * (features - target) ** 2) / (4 * features.size)
    np.testing.assert_allclose(content_cost(features, target, weights), expected, rtol=1e-6)
    np.testing.assert_allclose(
        content_cost(features, target), content_cost(features, target, np.ones((4, 1))), rtol=1e-6
    )
