"""The view of a scale: balanced targets, the regions of masks, the parts of a photo, and what is matched."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from conftest import PLAIN, SHALLOW, view_of

from nst.network.vgg19 import Network, Segment
from nst.preset_files import make_settings
from nst.transfer.cost import cost_in_one_piece
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale
from nst.transfer.view import activations

SCALE = Scale((40, 56), ((48, 36),), 1)
LEFT = np.repeat((np.arange(56) < 14)[None], 40, axis=0).astype(np.float32)


def settings_of(**overrides):
    return make_settings(overrides={**SHALLOW, **overrides})


def test_balanced_costs_of_a_picture_without_activations_are_1(content, style):
    layers = ("conv1_1", "conv1_2")
    settings = settings_of(**PLAIN, style_layers=["conv1_1"], content_layers=["conv1_2"])

    def compute(image, read, one_way_back, until):
        return {layer: read(layer, image) for layer in layers}, None

    identity = Network((Segment(1, 1, layers, 0, 4, 3, tf.float32, compute),))
    view = view_of(identity, Inputs(content, (style,), settings), SCALE)
    costs, _ = cost_in_one_piece(identity, tf.zeros(content.shape), view)
    np.testing.assert_allclose(costs["content"], 1, rtol=1e-6)
    np.testing.assert_allclose(costs["style"], 1, rtol=1e-6)


def test_masks_make_a_region_of_each_style_that_counts_by_its_area(shallow_network, content, style):
    """Raw, as balance has factors of its own. Without masks there is one region, which is everywhere."""
    scale = Scale((40, 56), ((48, 36), (48, 36)), 1)
    settings = settings_of(**PLAIN, balance=False)
    masked = Inputs(content, (style, style[::-1]), settings, style_masks=(LEFT, 1 - LEFT))
    whole, parted = (view_of(shallow_network, given, scale) for given in (replace(masked, style_masks=()), masked))
    assert (whole.layout.guided, parted.layout.guided) == (0, 2)
    assert whole.targets.parts[0].weights == {}
    factors = [part.style["conv2_1"].factor for part in parted.targets.parts]
    np.testing.assert_allclose(factors, [0.75 / 4, 0.75 * 3 / 4], 1e-6)
    for part, share, mask in zip(parted.targets.parts, parted.targets.pixels, (LEFT, 1 - LEFT), strict=True):
        np.testing.assert_allclose(share[..., 0], mask, atol=1e-6)
        np.testing.assert_allclose(tf.reduce_sum(part.weights["conv2_1"]), 1, rtol=1e-6)


def test_the_plain_part_and_the_rest_share_the_weight_of_the_style(shallow_network, content, style):
    """A photo that is plain on one side: each part has the weight of its area, and its positions are on its side."""
    photo = np.where(LEFT[..., None], np.random.default_rng(0).uniform(size=(40, 56, 3)), 0.5).astype(np.float32)
    settings = settings_of(compose=0.9, match_weight=0, balance=False)
    plain, rest = view_of(shallow_network, Inputs(photo, (style,), settings), SCALE).targets.parts
    factors = [float(part.style["conv2_1"].factor) for part in (plain, rest)]
    np.testing.assert_allclose(sum(factors), 0.75, rtol=1e-5)
    assert factors[0] > factors[1] > 0
    left = [float(tf.reduce_sum(tf.reshape(part.weights["conv1_1"], [40, 56])[:, :14])) for part in (plain, rest)]
    assert left[0] < 0.05
    assert left[1] > 0.6


@pytest.mark.parametrize("masks", [(), (LEFT, 1 - LEFT)], ids=["everywhere", "masks"])
def test_the_parts_of_a_region_share_each_of_its_pixels(shallow_network, content, style, masks):
    """At every position the weights of the parts, times their areas, add up to what it has without parts."""
    scale, found = Scale((40, 56), ((48, 36), (48, 36)), 1), {}
    for compose in (0.9, 0.0):
        settings = settings_of(compose=compose, match_weight=0, balance=False, content_weight=1)
        given = Inputs(content, (style, style), settings, style_masks=masks)
        parts = view_of(shallow_network, given, scale).targets.parts
        weights = [part.weights.get("conv1_1", 1 / 2240) for part in parts]
        found[compose] = sum(part.style["conv1_1"].factor * own for part, own in zip(parts, weights, strict=True))
    np.testing.assert_allclose(found[0.9], found[0.0] * np.ones((2240, 1)), rtol=1e-4, atol=1e-8)


def test_a_part_has_the_statistics_of_what_is_matched_to_it(shallow_network, content, style):
    """A style of a dark and a bright half: the dark part of a photo is compared with the dark half."""
    random = np.random.default_rng(0)
    halves = random.uniform(0, 0.2, (48, 64, 3)).astype(np.float32)
    halves[:, 32:] += 0.8
    photo = np.full((40, 56, 3), 0.1, np.float32)  # plain and dark
    photo[:, 28:] = random.uniform(0, 1, (40, 28, 3))
    given = Inputs(photo, (halves,), settings_of(match_colors=False, style_loss="moments"))
    scale = Scale((40, 56), ((48, 64),), 1)
    plain, rest = view_of(shallow_network, given, scale).targets.parts
    means = [float(tf.reduce_mean(part.style["conv1_1"].wanted[0])) for part in (plain, rest)]
    alone = [
        float(tf.reduce_mean(shallow_network(tf.constant(half))["conv1_1"]))
        for half in (halves[:, :32], halves[:, 32:])
    ]
    assert abs(means[0] - alone[0]) < abs(means[0] - alone[1])


@pytest.mark.parametrize("off", [{"match_weight": 0}, {"strength": 0}], ids=str)
def test_without_weight_nothing_is_matched(shallow_network, content, style, off):
    view = view_of(shallow_network, Inputs(content, (style,), settings_of(**off)), SCALE)
    assert view.targets.match.layers == {}
    costs, _ = cost_in_one_piece(shallow_network, tf.constant(content), view)
    assert "match" not in costs


def test_a_style_matched_to_itself_costs_nothing(shallow_network, style):
    """The known answer: every place of the style but those on its rim finds itself, and the cosine is 1."""
    settings = settings_of(compose=0.0, match_colors=False)
    view = view_of(shallow_network, Inputs(style, (style,), settings), Scale(style.shape[:2], (style.shape[:2],), 1))
    inner = np.zeros((12, 9), np.float32)
    inner[2:-2, 2:-2] = 1
    match = view.targets.match
    weights = match.weights * inner.reshape(-1, 1)
    view = replace(view, targets=view.targets._replace(match=match._replace(weights=weights)))
    costs, _ = cost_in_one_piece(shallow_network, tf.constant(style), view)
    np.testing.assert_allclose(costs["match"], 0, atol=1e-5)
    other, _ = cost_in_one_piece(shallow_network, tf.constant(style[::-1].copy()), view)
    assert other["match"] > 1e-3


def test_a_masked_place_is_matched_within_its_own_style(shallow_network, content, style):
    """Black is matched only to black, and white to white, whatever the photo shows there."""
    black, white = (np.full((48, 36, 3), value, np.float32) for value in (0.0, 1.0))
    scale = Scale((40, 56), ((48, 36), (48, 36)), 1)
    found = {}
    for name, masks in (("as it is", (LEFT, 1 - LEFT)), ("swapped", (1 - LEFT, LEFT))):
        given = Inputs(content, (black, white), settings_of(compose=0.0), style_masks=masks)
        match = view_of(shallow_network, given, scale).targets.match
        found[name] = match.layers["conv1_1"].wanted.numpy().reshape(10, 14, -1)
        np.testing.assert_allclose(tf.reduce_sum(match.weights), 1, rtol=0.05)
    left, right = found["as it is"][:, :3].mean(axis=(0, 1)), found["as it is"][:, 4:].mean(axis=(0, 1))
    np.testing.assert_allclose(found["swapped"][:, 4:].mean(axis=(0, 1)), left, rtol=0.2, atol=3e-4)
    np.testing.assert_allclose(found["swapped"][:, :3].mean(axis=(0, 1)), right, rtol=0.2, atol=3e-4)
    assert np.abs(left - right).max() > 1e-3


def test_the_subject_is_held_by_its_own_layers(tiny_network, content, style):
    inputs = Inputs(content, (style,), make_settings())
    held = view_of(tiny_network, inputs, SCALE).targets.content
    free = view_of(tiny_network, replace(inputs, settings=make_settings(overrides={"subject_weight": 0})), SCALE)
    assert set(held) == {"conv4_2", "conv3_4"}
    assert set(free.targets.content) == {"conv4_2"}
    assert tf.reduce_sum(held["conv4_2"].weights) > tf.reduce_sum(free.targets.content["conv4_2"].weights)


def test_large_forms_are_compared_in_the_plain_part_of_small_sizes_alone(tiny_network, content, style):
    inputs = Inputs(content, (style,), make_settings())
    small, large = (view_of(tiny_network, inputs, Scale((240, side), ((48, 36),), 1)) for side in (288, 320))
    assert [("conv5_1" in layers) for layers in small.layout.style_layers] == [True, False]
    assert [("conv5_1" in layers) for layers in large.layout.style_layers] == [False, False]


@pytest.mark.parametrize("size", [(75, 133), (16, 200)], ids=str)
def test_activations_in_tiles_are_those_in_one_piece(tiny_network, size):
    image = np.random.default_rng(3).uniform(size=(*size, 3)).astype(np.float32)
    layers = ("conv1_1", "conv4_2", "conv3_4")
    whole, tiled = (activations(tiny_network, image, layers, tile_px) for tile_px in (10_000, 64))
    assert set(whole) == set(tiled) == set(layers)
    for layer, expected in whole.items():
        np.testing.assert_allclose(tiled[layer], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
