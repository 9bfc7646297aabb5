"""Pictures in tiles: the same costs and the same gradient as in one piece, whatever the sizes."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import PLAIN, view_of

from nst.network.vgg19 import build_network
from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.losses import STYLE_LOSSES
from nst.transfer.objective import make_evaluate
from nst.transfer.scales import Scale

ALL = {
    "style_layers": ["conv1_1", "conv2_2", "conv3_4", "conv4_1", "conv4_4", "conv5_4"],
    "content_layers": ["conv4_2"],
    "match_layers": ["conv1_1", "conv2_1", "conv3_4", "conv4_1"],
    "content_weight": 1,
}
TWO_SEGMENTS = {**ALL, **PLAIN, "subject_weight": 0, "style_layers": ["conv2_2", "conv4_1"]}


def network_of(weights, layers, **options):
    return build_network(weights, make_settings(overrides=layers).network_layers, **options)


@pytest.fixture(scope="module")
def network(tiny_weights):
    return network_of(tiny_weights, ALL)


@pytest.fixture(scope="module")
def two_segments(tiny_weights):
    return network_of(tiny_weights, TWO_SEGMENTS)


def picture(size, seed=0):
    return np.random.default_rng(seed).uniform(size=(*size, 3)).astype(np.float32)


def evaluated(network, inputs, size, tile_px, style_size=(50, 70)):
    """Return costs and gradient of a picture of noise in tiles."""
    scale = Scale(size, (style_size,) * len(inputs.styles), 1)
    view = view_of(network, inputs, scale, picture=picture(size, seed=9), tile_px=tile_px)
    evaluate = make_evaluate(network, view, inputs.settings, tile_px=tile_px)
    costs, gradient = evaluate(tf.constant(picture(size, seed=1)))
    return {name: float(cost) for name, cost in costs.items()}, np.asarray(gradient)


LONG_SIZES = [(96, 128), (333, 17), (250, 40), (129, 257)]  # Which take longer.


def assert_same(network, inputs, size, tile_px, tolerance=1e-5):
    costs, gradient = evaluated(network, inputs, size, 10_000)
    tiled_costs, tiled = evaluated(network, inputs, size, tile_px)
    assert costs == pytest.approx(tiled_costs, rel=tolerance)
    assert np.linalg.norm(tiled - gradient) <= tolerance * np.linalg.norm(gradient)
    assert np.abs(tiled - gradient).max() <= 10 * tolerance * np.abs(gradient).max()


@pytest.mark.parametrize(
    "size",
    [(101, 143), (16, 300), *(pytest.param(size, marks=pytest.mark.slow) for size in LONG_SIZES)],
    ids=str,
)
def test_the_gradient_in_tiles_is_that_of_the_whole(network, size):
    """Also for sides that 16 does not divide, strips one tile wide, and tiles smaller than their halo."""
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3),), make_settings(overrides=ALL))
    assert_same(network, inputs, size, tile_px=64)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("masks", [False, True])
def test_in_tiles_every_loss_and_mask_is_as_in_one_piece(network, two_segments, style_loss, masks):
    layers = ALL
    if style_loss != "gram":
        layers, network = TWO_SEGMENTS, two_segments
    settings = make_settings(overrides={**layers, "style_loss": style_loss, "tv_weight": 1})
    left = np.repeat(np.linspace(1, 0, 90, dtype=np.float32)[None], 60, axis=0)
    given = {"style_masks": (left, 1 - left), "content_mask": np.sqrt(left)} if masks else {}
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3), picture((90, 50), 4)), settings, **given)
    assert_same(network, inputs, (171, 133), tile_px=96, tolerance=1e-4 if style_loss == "covariance" else 1e-5)


def test_in_bfloat16_tiles_change_less_than_its_own_rounding(tiny_weights, network):
    """Sums in another order are rounded differently, but far less than bfloat16 differs from float32."""
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3),), make_settings(overrides=ALL))
    near = network_of(tiny_weights, ALL, precision="bfloat16")
    (_, wanted), (_, whole), (_, tiled) = (
        evaluated(features, inputs, (129, 257), tile_px)
        for features, tile_px in ((network, 10_000), (near, 10_000), (near, 96))
    )
    assert 0 < np.linalg.norm(tiled - whole) < 0.3 * np.linalg.norm(whole - wanted)
