"""The cost of a picture in one piece: the formulas, raw and balanced; gradients of blends, masks and weights."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import PLAIN, SHALLOW, view_of

from nst.pictures.resizing import resize
from nst.preset_files import make_settings
from nst.transfer.cost import cost_graph, cost_in_one_piece
from nst.transfer.inputs import Inputs
from nst.transfer.losses import STYLE_LOSSES
from nst.transfer.scales import Scale

IMAGE = np.random.default_rng(5).uniform(size=(40, 56, 3)).astype(np.float32)


def inputs_of(content, *styles, style_masks=(), content_mask=None, **overrides):
    settings = make_settings(overrides={**SHALLOW, **PLAIN, **overrides})
    return Inputs(content, styles, settings, style_masks=style_masks, content_mask=content_mask)


@pytest.fixture
def cost(shallow_network):
    """Return a function that gives the costs and the gradient of an image, by default at the size of the content."""

    def costs_and_gradient(inputs, image=IMAGE, scale=None):
        sizes = tuple(style.shape[:2] for style in inputs.styles)
        view = view_of(shallow_network, inputs, scale or Scale(inputs.content.shape[:2], sizes, 1))
        costs, gradient = cost_in_one_piece(shallow_network, tf.constant(image), view)
        return costs, gradient.numpy()

    return costs_and_gradient


def numpy_costs(network, image, content, style, *, balance):
    """The formulas of the paper, in NumPy, with sizes that may differ between content and style."""
    G, C, S = (
        {name: a.numpy().astype(np.float64) for name, a in network(tf.constant(x)).items()}
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
        layer_cost = np.sum((gram(S[layer]) - gram(G[layer])) ** 2) / (4 * channels**2)
        nothing = np.sum(gram(S[layer]) ** 2) / (4 * channels**2)
        style_cost += weight * (layer_cost / nothing if balance else layer_cost)
    return content_cost, style_cost


@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("sizes", [((40, 56), (48, 36)), ((20, 28), (24, 18))], ids=str)
def test_costs_are_the_formulas(cost, shallow_network, content, style, balance, sizes):
    """At the sizes of the pictures, and at smaller ones, to which content and style are reduced."""
    inputs = inputs_of(content, style, balance=balance, content_weight=3, style_weight=2)
    image = resize(IMAGE, sizes[0])
    costs, _ = cost(inputs, image, Scale(sizes[0], sizes[1:], 1))
    content_cost, style_cost = numpy_costs(
        shallow_network, image, resize(content, sizes[0]), resize(style, sizes[1]), balance=balance
    )
    np.testing.assert_allclose(costs["content"], content_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["style"], style_cost, rtol=1e-5)
    np.testing.assert_allclose(costs["total"], 3 * content_cost + 2 * style_cost, rtol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"style_loss": "gram"},
        {"style_loss": "covariance"},
        {"style_loss": "moments"},
        {"match_weight": 2, "style_weight": 0, "content_weight": 0},
        {"match_weight": 2, "compose": 0.9},
    ],
    ids=str,
)
def test_gradient_equals_finite_differences(cost, content, style, changes):
    inputs = inputs_of(content, style, **{"content_weight": 1, **changes})
    gradient = cost(inputs)[1]
    slope = np.linalg.norm(gradient)
    assert slope > 0
    direction = gradient / slope  # the steepest, where float32 resolves the difference best
    ahead, behind = (cost(inputs, IMAGE + sign * 1e-2 * direction)[0]["total"] for sign in (1, -1))
    np.testing.assert_allclose((ahead - behind) / 2e-2, slope, rtol=0.02)


def test_strength_multiplies_both_weights(cost, content, style):
    for strength, factors in ((0.5, (1, 1)), (0, (4, 0)), (1, (0, 4)), (0.25, (2.25, 0.25))):
        costs, _ = cost(inputs_of(content, style, strength=strength, content_weight=3, style_weight=2))
        expected = factors[0] * 3 * costs["content"] + factors[1] * 2 * costs["style"]
        np.testing.assert_allclose(costs["total"], expected, rtol=1e-5)


def test_gradient_of_a_blend_is_that_of_the_blended_costs(cost, content, style):
    """Blending averages targets, so it costs nothing per step. Raw, since balance has a factor for each target."""
    other = style[::-1, ::-1] ** 2
    given = {"balance": False, "content_weight": 0}
    _, blend = cost(inputs_of(content, style, other, style_weights=[3, 1], **given))
    (_, first), (_, second) = (cost(inputs_of(content, alone, **given)) for alone in (style, other))
    np.testing.assert_allclose(blend, 0.75 * first + 0.25 * second, rtol=1e-3, atol=1e-6 * np.abs(first).max())


@pytest.mark.parametrize("style_loss", ["gram", "covariance", "moments"])
def test_a_masked_pixel_gets_no_gradient_from_the_other_style(cost, content, style, style_loss):
    left = np.repeat(np.linspace(2, -1, 56).clip(0, 1)[None], 40, axis=0).astype(np.float32)  # with a soft edge
    given = {"content_weight": 0, "style_loss": style_loss, "style_masks": (left, 1 - left)}
    (_, usual), (_, another) = (cost(inputs_of(content, style, other, **given)) for other in (style**2, style**3))
    np.testing.assert_array_equal(usual[left == 1], another[left == 1])
    assert np.abs(usual[left == 0] - another[left == 0]).max() > 1e-6
    assert np.abs(usual[left == 1]).max() > 1e-6


@pytest.mark.parametrize("style_loss", ["gram", "covariance", "moments"])
@pytest.mark.parametrize("grey", [[128, 128], [85, 85, 85], [64, 128, 64]], ids=str)
def test_masks_of_one_grey_are_the_blend(redrawn, content, style, style_loss, grey):
    styles = (style, style[::-1] ** 2, style[:, ::-1] ** 3)[: len(grey)]
    given = {"style_loss": style_loss, "size": 56, "steps": 3}
    settings = make_settings(overrides={**SHALLOW, **given})
    masks = tuple(np.full((40, 56), level / 255, np.float32) for level in grey)
    masked = redrawn(Inputs(content, styles, settings, style_masks=masks))
    blended = redrawn(Inputs(content, styles, make_settings(overrides={**SHALLOW, **given, "style_weights": grey})))
    np.testing.assert_allclose(masked, blended, atol=2e-3)


@pytest.mark.parametrize("style_loss", ["gram", "covariance", "moments"])
def test_masks_that_share_a_strip_are_the_blend_there(cost, content, style, style_loss):
    strip = np.zeros((40, 56), np.float32)
    strip[:, 12:30] = 1
    styles, given = (style, style**2), {"style_loss": style_loss, "content_weight": 0}
    _, blend = cost(inputs_of(content, *styles, content_mask=strip, **given))
    _, masked = cost(inputs_of(content, *styles, style_masks=(0.5 * strip, 0.5 * strip), **given))
    assert np.abs(blend).max() > 1e-6
    np.testing.assert_allclose(masked, blend, rtol=1e-3, atol=1e-5 * np.abs(blend).max())


def test_a_pixel_of_two_regions_is_moved_by_both_in_full(cost, content, style):
    """The middle belongs to both by halves; there the gradient is that of the blend, where all is one colour."""
    ramp = np.repeat(np.linspace(1.5, -0.5, 56).clip(0, 1)[None], 40, axis=0).astype(np.float32)
    given = {"content_weight": 0, "balance": False}
    flat = np.full_like(IMAGE, 0.5)
    (_, halves), (_, blend) = (
        cost(inputs_of(content, style, style, style_masks=masks, **given), flat) for masks in ((ramp, 1 - ramp), ())
    )
    middle = (slice(10, 30), slice(20, 36))
    np.testing.assert_allclose(halves[middle].mean(), blend[middle].mean(), rtol=0.05)


def test_where_the_photo_may_not_change_there_is_no_gradient_of_the_style(cost, content, style):
    mask = np.zeros((40, 56), np.float32)
    mask[10:30, 10:40] = 1
    _, gradient = cost(inputs_of(content, style, content_mask=mask, content_weight=0), content)
    assert np.abs(gradient[mask == 0]).max() == 0
    assert np.abs(gradient[mask == 1]).max() > 0


def test_one_graph_serves_pictures_of_all_sizes(cost, shallow_network, content, style):
    inputs = [inputs_of(content[:side, :side], style) for side in (24, 40)]
    for given in inputs:
        cost(given, IMAGE[: len(given.content), : len(given.content)])
    layout = view_of(shallow_network, inputs[0], Scale((24, 24), ((24, 24),), 1)).layout
    assert cost_graph(shallow_network, STYLE_LOSSES["gram"], layout).experimental_get_tracing_count() == 1
