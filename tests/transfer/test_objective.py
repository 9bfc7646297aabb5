"""The cost at a scale: the mean over copies, total variation, its gradient; and the course, pinned."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW

from nst.pictures.resizing import resize
from nst.settings import make_settings
from nst.transfer.first_picture import first_picture
from nst.transfer.inputs import Inputs
from nst.transfer.objective import make_evaluate
from nst.transfer.scales import Scale
from nst.transfer.targets import make_view

IMAGE = tf.constant(np.random.default_rng(5).uniform(size=(40, 56, 3)), tf.float32)
BOTH = [((40, 56), (48, 36)), ((20, 28), (24, 18))]  # sizes of content and style, of the picture and of a copy


@pytest.fixture
def objective(shallow_network, content, style):
    """Return a function that gives `evaluate` of the views of these sizes of content and style, largest first."""

    def evaluate_of(sizes, **overrides):
        inputs = Inputs(content, (style,), make_settings(overrides={**SHALLOW, **overrides}))
        views = [make_view(shallow_network, inputs, Scale(size, (style_size,), 1)) for size, style_size in sizes]
        return make_evaluate(shallow_network, views, inputs.settings)

    return evaluate_of


def test_copies_are_averaged(objective):
    """The cost of a picture and a copy is the mean of the costs of each alone."""
    costs, _ = objective(BOTH)(IMAGE)
    alone = [objective([sizes])(tf.constant(resize(IMAGE.numpy(), sizes[0])))[0] for sizes in BOTH]
    for name in ("content", "style", "total"):
        np.testing.assert_allclose(costs[name], np.mean([parts[name] for parts in alone]), rtol=1e-4)
    assert abs(alone[0]["style"] / alone[1]["style"] - 1) > 0.01


def test_gradient_equals_finite_differences(objective):
    evaluate = objective(BOTH, tv_weight=0.1, content_weight=1)
    _, gradient = evaluate(IMAGE)
    assert np.abs(gradient).max() > 0
    direction = gradient / tf.norm(gradient)  # the steepest, where float32 resolves the difference best
    ahead, behind = (evaluate(IMAGE + sign * 1e-2 * direction)[0]["total"] for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / 2e-2, tf.norm(gradient), rtol=0.02)


def test_total_variation_is_in_the_cost_and_in_the_gradient(objective):
    plain_costs, plain = objective(BOTH[:1])(IMAGE)
    costs, gradient = objective(BOTH[:1], tv_weight=2)(IMAGE)
    np.testing.assert_allclose(costs["total"] - plain_costs["total"], 2 * costs["tv"], rtol=1e-3)
    assert tf.norm(gradient - plain) > 1e-4


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
    view = make_view(vgg19_of_the_course, inputs, Scale(size, (size,), 1))
    costs, _ = make_evaluate(vgg19_of_the_course, [view], course)(tf.constant(image))

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
