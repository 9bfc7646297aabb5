"""The cost by its formulas, raw and balanced, over copies; its gradient; and the course, pinned."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from nst.network.vgg19 import Network, Segment, build_network
from nst.network.weights import load_weights
from nst.pictures.resizing import resize
from nst.settings import make_settings
from nst.transfer.first_picture import first_picture
from nst.transfer.inputs import Inputs
from nst.transfer.objective import make_evaluate
from nst.transfer.scales import Scale
from nst.transfer.targets import make_view

LAYERS = {"style_layers": ("conv1_1:0.25", "conv2_1:0.75"), "content_layers": ("conv2_2",)}


def settings_with(**overrides):
    return make_settings(overrides={**{name: list(words) for name, words in LAYERS.items()}, **overrides})


def objective(features, content, style, sizes, settings):
    """Return the evaluate of the views of the given pairs of content and style size, largest first."""
    return evaluate_of(features, Inputs(content, (style,), settings), sizes)


def evaluate_of(features, inputs, sizes):
    views = [
        make_view(features, inputs, Scale(size, (style_size,) * len(inputs.styles), 1)) for size, style_size in sizes
    ]
    return make_evaluate(features, views, inputs.settings)


@pytest.fixture
def features(tiny_weights):
    return build_network(tiny_weights, ["conv1_1", "conv2_1", "conv2_2"])


def numpy_costs(features, image, content, style, *, balance):
    """The formulas of the paper, in NumPy, with sizes that may differ between content and style."""
    G, C, S = (
        {name: a.numpy().astype(np.float64) for name, a in features(tf.constant(x)).items()}
        for x in (image, content, style)
    )

    def gram(a):
        return a.T @ a / len(a)

    content_cost = np.sum((C["conv2_2"] - G["conv2_2"]) ** 2) / (4 * G["conv2_2"].size)
    if balance:
        content_cost /= np.sum(C["conv2_2"] ** 2) / (4 * G["conv2_2"].size)
    style_cost = 0
    for layer, weight in (("conv1_1", 0.25), ("conv2_1", 0.75)):
        channels = G[layer].shape[1]
        cost = np.sum((gram(S[layer]) - gram(G[layer])) ** 2) / (4 * channels**2)
        nothing = np.sum(gram(S[layer]) ** 2) / (4 * channels**2)
        style_cost += weight * (cost / nothing if balance else cost)
    return content_cost, style_cost


@pytest.mark.parametrize("balance", [True, False])
def test_costs_are_the_formulas(features, content, style, balance):
    image = np.random.default_rng(5).uniform(size=content.shape).astype(np.float32)
    settings = settings_with(balance=balance, content_weight=3, style_weight=2)
    sizes = [(content.shape[:2], style.shape[:2])]
    costs, _ = objective(features, content, style, sizes, settings)(tf.constant(image))
    content_cost, style_cost = numpy_costs(features, image, content, style, balance=balance)
    np.testing.assert_allclose(costs["content"], content_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["style"], style_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["total"], 3 * content_cost + 2 * style_cost, rtol=1e-5)


def test_balanced_costs_of_a_picture_without_activations_are_1(content, style):
    layers = ("conv1_1", "conv2_1", "conv2_2")
    features = Network(
        (Segment(1, 2, layers, 0, 4, 3, tf.float32, lambda image: (dict.fromkeys(layers, image), None)),)
    )
    evaluate = objective(features, content, style, [(content.shape[:2], style.shape[:2])], settings_with())
    costs, _ = evaluate(tf.zeros(content.shape))
    np.testing.assert_allclose(costs["content"], 1, rtol=1e-6)
    np.testing.assert_allclose(costs["style"], 1, rtol=1e-6)


def test_copies_are_averaged(features, content, style):
    image = np.random.default_rng(5).uniform(0.3, 0.7, size=content.shape).astype(np.float32)
    both = [(content.shape[:2], style.shape[:2]), ((20, 28), (24, 18))]
    costs, _ = objective(features, content, style, both, settings_with())(tf.constant(image))
    alone = []
    for size, style_size in both:
        parts = numpy_costs(
            features, resize(image, size), resize(content, size), resize(style, style_size), balance=True
        )
        alone.append(parts)
    np.testing.assert_allclose([costs["content"], costs["style"]], np.mean(alone, axis=0), rtol=1e-4)


def test_gradient_equals_finite_differences(features, content, style):
    sizes = [(content.shape[:2], style.shape[:2]), ((20, 28), (24, 18))]
    settings = settings_with(tv_weight=0.1, content_weight=1)
    evaluate = objective(features, content, style, sizes, settings)
    random = np.random.default_rng(5)
    image = tf.constant(random.uniform(size=content.shape), tf.float32)
    _, gradient = evaluate(image)
    assert np.abs(gradient).max() > 0
    direction = gradient / tf.norm(gradient)  # the steepest, where float32 resolves the difference best
    ahead, behind = (evaluate(image + sign * 1e-2 * direction)[0]["total"] for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / 2e-2, tf.norm(gradient), rtol=0.02)


def test_total_variation_is_in_the_cost_and_in_the_gradient(features, content, style):
    sizes = [(content.shape[:2], style.shape[:2])]
    image = tf.constant(np.random.default_rng(5).uniform(size=content.shape), tf.float32)
    plain_costs, plain = objective(features, content, style, sizes, settings_with())(image)
    costs, gradient = objective(features, content, style, sizes, settings_with(tv_weight=2))(image)
    np.testing.assert_allclose(costs["total"] - plain_costs["total"], 2 * costs["tv"], rtol=1e-3)
    assert tf.norm(gradient - plain) > 1e-4


def test_gradient_of_a_blend_is_that_of_the_blended_costs(features, content, style):
    """Blending averages targets, so it costs nothing per step. Raw, since balance has a factor for each target."""
    image = tf.constant(np.random.default_rng(5).uniform(size=content.shape), tf.float32)
    other = style[::-1, ::-1] ** 2
    sizes = [(content.shape[:2], style.shape[:2])]
    given = {"balance": False, "content_weight": 0}
    _, blend = evaluate_of(
        features, Inputs(content, (style, other), settings_with(style_weights=[3, 1], **given)), sizes
    )(image)
    _, first = objective(features, content, style, sizes, settings_with(**given))(image)
    _, second = objective(features, content, other, sizes, settings_with(**given))(image)
    np.testing.assert_allclose(blend, 0.75 * first + 0.25 * second, rtol=1e-3, atol=1e-6 * np.abs(first).max())


@pytest.mark.parametrize("style_loss", ["gram", "covariance", "moments"])
def test_a_masked_pixel_gets_no_gradient_from_the_other_style(features, content, style, style_loss):
    image = tf.constant(np.random.default_rng(5).uniform(size=content.shape), tf.float32)
    left = np.repeat(np.linspace(2, -1, 56).clip(0, 1)[None], 40, axis=0).astype(np.float32)  # with a soft edge
    sizes, settings = [(content.shape[:2], style.shape[:2])], settings_with(content_weight=0, style_loss=style_loss)

    def gradient(*styles):
        inputs = Inputs(content, styles, settings, style_masks=(left, 1 - left))
        return evaluate_of(features, inputs, sizes)(image)[1].numpy()

    usual, another = gradient(style, style**2), gradient(style, style**3)
    np.testing.assert_array_equal(usual[left == 1], another[left == 1])
    assert np.abs(usual[left == 0] - another[left == 0]).max() > 1e-6
    assert np.abs(usual[left == 1]).max() > 1e-6


def test_where_the_photo_may_not_change_there_is_no_gradient_of_the_style(features, content, style):
    mask = np.zeros((40, 56), np.float32)
    mask[10:30, 10:40] = 1
    inputs = Inputs(content, (style,), settings_with(content_weight=0), content_mask=mask)
    sizes = [(content.shape[:2], style.shape[:2]), ((20, 28), (24, 18))]
    _, gradient = evaluate_of(features, inputs, sizes[:1])(tf.constant(content))
    assert np.abs(gradient.numpy()[mask == 0]).max() == 0
    assert np.abs(gradient.numpy()[mask == 1]).max() > 0


def test_strength_multiplies_both_weights(features, content, style):
    image = tf.constant(np.random.default_rng(5).uniform(size=content.shape), tf.float32)
    sizes = [(content.shape[:2], style.shape[:2])]
    for strength, factors in ((0.5, (1, 1)), (0, (4, 0)), (1, (0, 4)), (0.25, (2.25, 0.25))):
        settings = settings_with(strength=strength, content_weight=3, style_weight=2)
        costs, _ = objective(features, content, style, sizes, settings)(image)
        expected = factors[0] * 3 * costs["content"] + factors[1] * 2 * costs["style"]
        np.testing.assert_allclose(costs["total"], expected, rtol=1e-5)


def numpy_vgg19(weights, image):
    """Return the activations of VGG19 with average pooling, in float64; image [height, width, 3] in 0..255."""
    x, found = image - np.array([123.68, 116.779, 103.939]), {}
    for layer, (kernel, bias) in weights.items():
        height, width = x.shape[:2]
        if layer.endswith("_1") and layer != "conv1_1":
            height, width = height // 2, width // 2
            x = x[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).mean(axis=(1, 3))
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        shifted = [(padded[i : i + height, j : j + width], kernel[i, j]) for i in range(3) for j in range(3)]
        x = np.maximum(sum(window @ matrix.astype(np.float64) for window, matrix in shifted) + bias, 0)
        found[layer] = x
    return found


def test_first_cost_of_the_course_is_what_numpy_computes():
    """Real weights, 32x24 px: alpha J_content + beta J_style of the tutorial's noisy first picture, to five digits."""
    random = np.random.default_rng(11)
    content, style = (random.uniform(size=(24, 32, 3)).astype(np.float32) for _ in range(2))
    course = make_settings("course")
    weights = load_weights()
    size = (24, 32)
    image = first_picture(Inputs(content, (style,), course), size)
    noise = np.random.default_rng(course.seed).uniform(-20, 20, (24, 32, 3))
    mean = np.array([123.68, 116.779, 103.939])
    np.testing.assert_allclose(image * 255 - mean, 0.6 * noise + 0.4 * (content * 255 - mean), atol=1e-3)

    names = [layer for layer, _ in course.style_layers + course.content_layers]
    features = build_network(weights, names, pooling=course.pooling)
    costs, _ = objective(features, content, style, [(size, size)], course)(tf.constant(image))

    G, C, S = (numpy_vgg19(weights, np.float64(x) * 255) for x in (image, content, style))
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


def test_a_style_goes_through_the_network_once_for_many_photos(tiny_weights, content, style):
    seen = []
    network = build_network(tiny_weights, ["conv1_1", "conv2_1", "conv2_2"])

    def counted(segment):
        def run(x):
            seen.append(tuple(x.shape[:2]))
            return segment.run(x)

        return replace(segment, run=run)

    network = Network(tuple(map(counted, network.segments)))
    scale = Scale((40, 56), ((48, 36), (48, 36)), 1)
    for photo in (content, content[::-1]):
        make_view(network, Inputs(photo, (style, style[::-1]), settings_with()), scale)
    assert seen == [(40, 56), (48, 36), (48, 36), (40, 56)]
    make_view(network, Inputs(content, (style, style), settings_with(style_loss="moments")), scale)
    assert seen[4:] == [(40, 56), (48, 36)]
