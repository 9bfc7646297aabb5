"""The cost at a scale: total variation, the structure of colours, their gradients; and the course, pinned."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import PLAIN, SHALLOW, view_of

from nst.pictures.resizing import resize_matrix
from nst.preset_files import make_settings
from nst.transfer.first_picture import first_picture
from nst.transfer.inputs import Inputs
from nst.transfer.objective import make_evaluate
from nst.transfer.scales import Scale
from nst.transfer.view import small_size

IMAGE = tf.constant(np.random.default_rng(5).uniform(size=(40, 56, 3)), tf.float32)
SCALE = Scale((40, 56), ((48, 36),), 1)


@pytest.fixture
def objective(shallow_network, content, style):
    """Return a function that gives `evaluate` of settings that differ from content and style cost alone."""

    def evaluate_of(photo=content, **overrides):
        inputs = Inputs(photo, (style,), make_settings(overrides={**SHALLOW, **PLAIN, **overrides}))
        return make_evaluate(shallow_network, view_of(shallow_network, inputs, SCALE), inputs.settings)

    return evaluate_of


@pytest.mark.parametrize("changes", [{"tv_weight": 0.1}, {"color_weight": 2.0}], ids=str)
def test_gradient_equals_finite_differences(objective, changes):
    evaluate = objective(content_weight=1, **changes)
    _, gradient = evaluate(IMAGE)
    assert np.abs(gradient).max() > 0
    direction = gradient / tf.norm(gradient)  # the steepest, where float32 resolves the difference best
    ahead, behind = (evaluate(IMAGE + sign * 1e-2 * direction)[0]["total"] for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / 2e-2, tf.norm(gradient), rtol=0.02)


@pytest.mark.parametrize(("name", "setting"), [("tv", "tv_weight"), ("color", "color_weight")])
def test_costs_of_pixels_are_in_the_cost_and_in_the_gradient(objective, name, setting):
    plain_costs, plain = objective()(IMAGE)
    costs, gradient = objective(**{setting: 2})(IMAGE)
    assert name not in plain_costs
    np.testing.assert_allclose(costs["total"] - plain_costs["total"], 2 * costs[name], rtol=1e-3)
    assert tf.norm(gradient - plain) > 1e-4


def test_the_structure_of_colours_is_the_mean_difference_of_all_distances(objective, style):
    """A photo in the style's colours already: of it and of the image, copies of 28 px."""
    photo = style[:40, :36].repeat(2, axis=1)[:, :56]
    costs, _ = objective(photo, color_weight=1.0, strength=0.001)(IMAGE)
    rows, columns = (resize_matrix(old, new) for old, new in zip((40, 56), small_size((40, 56)), strict=True))

    def distances(picture):
        colors = np.einsum("ah,hwc,bw->abc", rows, picture, columns).reshape(-1, 3)
        return np.linalg.norm(colors[:, None] - colors, axis=-1)

    expected = np.abs(distances(IMAGE.numpy()) - distances(photo)).mean()
    np.testing.assert_allclose(costs["color"], expected, rtol=0.02)


def test_first_cost_of_the_course_is_what_numpy_computes(vgg19_weights, vgg19_of_the_course, numpy_vgg19):
    """Real weights, 32x24 px: alpha J_content + beta J_style of the tutorial's noisy first picture, to five digits."""
    random = np.random.default_rng(11)
    content, style = (random.uniform(size=(24, 32, 3)).astype(np.float32) for _ in range(2))
    course = make_settings("course")
    size = (24, 32)
    inputs = Inputs(content, (style,), course)
    image = first_picture(inputs, size)
    noise = np.random.default_rng(course.seed).uniform(-20, 20, (24, 32, 3))
    mean = np.array([123.68, 116.779, 103.939])
    np.testing.assert_allclose(image * 255 - mean, 0.6 * noise + 0.4 * (content * 255 - mean), atol=1e-3)

    assert course.pooling == "avg"
    view = view_of(vgg19_of_the_course, inputs, Scale(size, (size,), 1))
    costs, _ = make_evaluate(vgg19_of_the_course, view, course)(tf.constant(image))
    assert set(costs) == {"total", "content", "style"}

    found = numpy_vgg19(vgg19_weights, np.stack([image, content, style]), "avg")
    G, C, S = ({layer: activation[index] for layer, activation in found.items()} for index in range(3))
    n_h, n_w, n_c = G["conv4_2"].shape
    content_cost = np.sum((C["conv4_2"] - G["conv4_2"]) ** 2) / (4 * n_h * n_w * n_c)
    style_cost = 0.0
    for layer, weight in course.style_layers:
        n_h, n_w, n_c = G[layer].shape
        grams = [a[layer].reshape(-1, n_c).T @ a[layer].reshape(-1, n_c) for a in (S, G)]
        style_cost += weight * np.sum((grams[0] - grams[1]) ** 2) / (4 * n_c**2 * (n_h * n_w) ** 2)
    np.testing.assert_allclose(costs["content"], content_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["style"], style_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["total"], 10 * content_cost + 40 * style_cost, rtol=1e-5)
