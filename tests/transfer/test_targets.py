"""The targets of a picture: balanced, of each region, found once for many photos, and in tiles as in one piece."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW

from nst.network.vgg19 import Network, Segment
from nst.settings import Settings, make_settings
from nst.transfer.cost import cost_in_one_piece
from nst.transfer.inputs import Inputs
from nst.transfer.scales import Scale
from nst.transfer.targets import PIXELS, activations, make_view, statistics

SCALE = Scale((40, 56), ((48, 36),), 1)


def test_balanced_costs_of_a_picture_without_activations_are_1(content, style):
    layers = ("conv1_1", "conv2_1", "conv2_2")
    identity = Network(
        (Segment(1, 2, layers, 0, 4, 3, tf.float32, lambda image: (dict.fromkeys(layers, image), None)),)
    )
    targets = make_view(identity, Inputs(content, (style,), make_settings(overrides=SHALLOW)), SCALE).targets
    costs, _ = cost_in_one_piece(identity, "gram", tf.zeros(content.shape), targets)
    np.testing.assert_allclose(costs["content"], 1, rtol=1e-6)
    np.testing.assert_allclose(costs["style"], 1, rtol=1e-6)


def test_a_style_goes_through_the_network_once_for_many_photos(shallow_network, content, style):
    seen = []

    def counted(segment):
        def run(x):
            seen.append(tuple(x.shape[:2]))
            return segment.run(x)

        return replace(segment, run=run)

    network, settings = Network((counted(shallow_network.segments[0]),)), make_settings(overrides=SHALLOW)
    scale = Scale((40, 56), ((48, 36), (48, 36)), 1)
    for photo in (content, content[::-1]):
        make_view(network, Inputs(photo, (style, style[::-1]), settings), scale)
    assert seen == [(40, 56), (48, 36), (48, 36), (40, 56)]
    moments = make_settings(overrides={**SHALLOW, "style_loss": "moments"})
    make_view(network, Inputs(content, (style, style), moments), scale)
    assert seen[4:] == [(40, 56), (48, 36)]


def test_masks_make_a_region_of_each_style_that_counts_by_its_area(shallow_network, content, style):
    """Raw, as balance has factors of its own. Without masks there is one region, which is everywhere."""
    settings = make_settings(overrides={**SHALLOW, "balance": False})
    scale = Scale((40, 56), ((48, 36), (48, 36)), 1)
    left = np.repeat((np.arange(56) < 14)[None], 40, axis=0).astype(np.float32)
    masked = Inputs(content, (style, style[::-1]), settings, style_masks=(left, 1 - left))
    found = [make_view(shallow_network, given, scale).targets for given in (replace(masked, style_masks=()), masked)]
    assert [targets.layout.guided for targets in found] == [0, 2]
    assert found[0].regions[0].guides == {}
    np.testing.assert_allclose([r.style["conv2_1"].factor for r in found[1].regions], [0.75 / 4, 0.75 * 3 / 4], 1e-6)
    for region, mask in zip(found[1].regions, masked.style_masks, strict=True):
        np.testing.assert_allclose(region.guides[PIXELS][..., 0], mask, atol=1e-6)
        np.testing.assert_allclose(tf.reduce_sum(region.guides["conv2_1"]), 1, rtol=1e-6)


@pytest.mark.parametrize("size", [(75, 133), (16, 200)], ids=str)
def test_activations_and_statistics_in_tiles_are_those_in_one_piece(tiny_network, size):
    image = np.random.default_rng(3).uniform(size=(*size, 3)).astype(np.float32)
    for find in (activations, statistics):
        whole, tiled = (find(tiny_network, image, Settings(), tile_px) for tile_px in (10_000, 64))
        assert set(whole) == set(tiled)
        for layer, expected in whole.items():
            np.testing.assert_allclose(tiled[layer], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
