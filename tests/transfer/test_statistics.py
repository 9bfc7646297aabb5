"""Statistics of styles: found once for many photos, and in tiles as in one piece, with weights and without."""

from dataclasses import replace

import numpy as np
import pytest

from nst.network.vgg19 import Network
from nst.transfer.known_image import KnownImage
from nst.transfer.losses import STYLE_LOSSES
from nst.transfer.masks import position_weights
from nst.transfer.statistics import statistics, weighted_statistics

LAYERS = ("conv1_1", "conv3_4", "conv5_1")


def test_a_style_goes_through_the_network_once_for_many_photos(shallow_network, style):
    seen = []

    def compute(x, *args):
        seen.append(tuple(x.shape[:2]))
        return shallow_network.segments[0].compute(x, *args)

    network = Network((replace(shallow_network.segments[0], compute=compute),))
    for image in (style, style[::-1], style, style.copy()):
        statistics(network, KnownImage.of(image), ("conv1_1",), STYLE_LOSSES["gram"], tile_px=10_000)
    assert seen == [(48, 36), (48, 36)]
    statistics(network, KnownImage.of(style), ("conv1_1",), STYLE_LOSSES["moments"], tile_px=10_000)
    assert len(seen) == 3


@pytest.mark.parametrize("size", [(75, 133), (16, 200)], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_in_tiles_are_those_in_one_piece(tiny_network, size, weighted):
    random = np.random.default_rng(3)
    image, share = (random.uniform(size=(*size, n)).astype(np.float32) for n in (3, 1))
    weights = {name: position_weights(share, name) for name in LAYERS} if weighted else {}
    whole, tiled = (
        weighted_statistics(
            tiny_network, KnownImage.of(image), LAYERS, STYLE_LOSSES["gram"], [weights], tile_px=tile_px
        )[0]
        for tile_px in (10_000, 64)
    )
    for layer, expected in whole.items():
        np.testing.assert_allclose(tiled[layer], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("style_loss", STYLE_LOSSES.values())
@pytest.mark.parametrize("tile_px", [64, 10_000])
def test_what_of_an_image_is_not_shown_does_not_count(tiny_network, style_loss, tile_px):
    """All that counts is far from the part that is not shown, so that the network does not see it from there."""
    image = np.random.default_rng(2).uniform(size=(96, 160, 3)).astype(np.float32)
    shown = np.zeros((96, 160), np.float32)
    shown[:, :64] = 1
    other = image.copy()
    other[:, 112:] = 0.9
    first, second, all_of_it = (
        statistics(tiny_network, KnownImage.of(*given), ("conv1_1", "conv3_1"), style_loss, tile_px=tile_px)
        for given in ((image, shown), (other, shown), (other,))
    )
    for layer, expected in first.items():
        np.testing.assert_allclose(second[layer], expected, rtol=1e-4)
        assert np.abs(all_of_it[layer] - expected).max() > 0.01 * np.abs(expected).max()
