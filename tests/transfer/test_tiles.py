"""Pictures in tiles: the same costs and the same gradient as in one piece, whatever the sizes."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from nst.network.vgg19 import build_network
from nst.settings import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.losses import STYLE_LOSSES
from nst.transfer.objective import make_evaluate
from nst.transfer.scales import Scale
from nst.transfer.targets import make_view
from nst.transfer.tiles import spans

ALL = {
    "style_layers": ["conv1_1", "conv2_2", "conv3_4", "conv4_1", "conv4_4", "conv5_4"],
    "content_layers": ["conv4_2"],
}


def picture(size, seed=0):
    return np.random.default_rng(seed).uniform(size=(*size, 3)).astype(np.float32)


def evaluated(network, inputs, size, tile_px, style_size=(50, 70)):
    """Return costs and gradient of a picture of noise in tiles."""
    scale = Scale(size, (style_size,) * len(inputs.styles), 1)
    view = make_view(network, inputs, scale, tile_px=tile_px)
    evaluate = make_evaluate(network, [view], inputs.settings, tile_px=tile_px)
    costs, gradient = evaluate(tf.constant(picture(size, seed=1)))
    return {name: float(cost) for name, cost in costs.items()}, gradient.numpy()


def assert_same(network, inputs, size, tile_px, tolerance=1e-5):
    costs, gradient = evaluated(network, inputs, size, 10_000)
    tiled_costs, tiled = evaluated(network, inputs, size, tile_px)
    assert costs == pytest.approx(tiled_costs, rel=tolerance)
    assert np.linalg.norm(tiled - gradient) <= tolerance * np.linalg.norm(gradient)
    assert np.abs(tiled - gradient).max() <= 10 * tolerance * np.abs(gradient).max()


@pytest.fixture(scope="module")
def network(tiny_weights):
    return build_network(tiny_weights, ALL["style_layers"] + ALL["content_layers"])


@pytest.mark.parametrize("size", [(96, 128), (101, 143), (16, 300), (333, 17), (250, 40), (129, 257)], ids=str)
def test_the_gradient_in_tiles_is_that_of_the_whole(network, size):
    """Also for sides that 16 does not divide, strips one tile wide, and tiles smaller than their halo."""
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3),), make_settings(overrides=ALL))
    assert_same(network, inputs, size, tile_px=64)


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("masks", [False, True])
def test_in_tiles_every_loss_and_mask_is_as_in_one_piece(network, style_loss, masks):
    settings = make_settings(overrides={**ALL, "style_loss": style_loss, "tv_weight": 1})
    left = np.repeat(np.linspace(1, 0, 90, dtype=np.float32)[None], 60, axis=0)
    given = {"style_masks": (left, 1 - left), "content_mask": np.sqrt(left)} if masks else {}
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3), picture((90, 50), 4)), settings, **given)
    assert_same(network, inputs, (171, 133), tile_px=96, tolerance=1e-4 if style_loss == "covariance" else 1e-5)


def test_in_bfloat16_tiles_change_less_than_its_own_rounding(tiny_weights):
    """Sums in another order round otherwise; by far less than bfloat16 is from float32."""
    inputs = Inputs(picture((60, 90), 2), (picture((80, 100), 3),), make_settings(overrides=ALL))
    layers = ALL["style_layers"] + ALL["content_layers"]
    exact, near = (build_network(tiny_weights, layers, precision=name) for name in ("float32", "bfloat16"))
    (_, wanted), (_, whole), (_, tiled) = (
        evaluated(network, inputs, (129, 257), tile_px)
        for network, tile_px in ((exact, 10_000), (near, 10_000), (near, 96))
    )
    assert 0 < np.linalg.norm(tiled - whole) < 0.3 * np.linalg.norm(whole - wanted)


@given(st.integers(16, 6000), st.integers(64, 1500), st.sampled_from([(24, 8), (32, 16), (32, 32), (64, 32), (8, 8)]))
def test_cores_cover_the_picture_once_and_halos_are_wide_enough(length, side, margins):
    halo, grid = margins
    found = spans(length, side, halo, grid)
    assert (found[0].core_start, found[-1].core_stop) == (0, length)
    for span in found:
        assert span.start <= max(0, span.core_start - halo)
        assert span.stop >= min(length, span.core_stop + halo)
        assert span.core_start < span.core_stop
        assert span.start % grid == span.core_start % grid == 0
        assert span.stop - span.start <= max(side, 2 * halo + grid) + 2 * grid
    assert len({span.stop - span.start for span in found[:-1]}) <= 1
    assert all(one.core_stop == other.core_start for one, other in itertools.pairwise(found))
