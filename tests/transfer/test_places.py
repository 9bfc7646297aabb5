"""Places and their hypercolumns: what belongs to each, whatever the sizes, and in tiles as in one piece."""

import numpy as np
import pytest
import tensorflow as tf

from nst.transfer.places import Places, hypercolumns, places_of

LAYERS = ["conv1_1", "conv2_1", "conv3_4", "conv4_1"]


def test_the_number_of_places_is_limited():
    found = {side: places_of((side // 2, side), LAYERS).side_px for side in (64, 512, 640, 1024, 2048, 3840)}
    assert found == {64: 4, 512: 4, 640: 4, 1024: 8, 2048: 16, 3840: 32}
    assert places_of((512, 512), LAYERS).square_px == 8
    assert places_of((512, 512), [*LAYERS, "conv5_1"]).square_px == 16
    assert places_of((3840, 2160), LAYERS).square_px == 32


@pytest.mark.parametrize("size", [(40, 56), (43, 61), (23, 17)], ids=str)
@pytest.mark.parametrize("places", [Places(4, 8), Places(8, 8), Places(4, 16)], ids=str)
def test_hypercolumns_are_means_or_the_position_above(tiny_network, size, places):
    image = np.random.default_rng(1).uniform(size=(*size, 3)).astype(np.float32)
    maps = {layer: activation.numpy() for layer, activation in tiny_network.maps(tf.constant(image)).items()}
    parts = hypercolumns(tiny_network, image, LAYERS, places, 10_000)
    rows, columns = places.grid(size)
    where = np.array([0, rows * columns - 1, rows // 2 * columns])
    found = {layer: places.chosen(values, layer, where) for layer, values in parts.items()}
    for layer, values in parts.items():
        np.testing.assert_array_equal(places.repeated(values, layer)[where], found[layer])
    for index, (row, column) in enumerate(np.stack(np.divmod(where, columns), axis=1)):
        top, left, side = row * places.side_px, column * places.side_px, places.side_px
        first = maps["conv1_1"][top : top + side, left : left + side].mean(axis=(0, 1))
        np.testing.assert_allclose(found["conv1_1"][index], first, rtol=1e-4)
        np.testing.assert_allclose(found["conv4_1"][index], maps["conv4_1"][top // 8, left // 8], rtol=1e-5)


@pytest.mark.parametrize("size", [(75, 133), (160, 90)], ids=str)
@pytest.mark.parametrize("side_px", [4, 8, 32])
def test_hypercolumns_in_tiles_are_those_in_one_piece(tiny_network, size, side_px):
    image, places = (
        np.random.default_rng(3).uniform(size=(*size, 3)).astype(np.float32),
        Places(side_px, max(8, side_px)),
    )
    whole, tiled = (hypercolumns(tiny_network, image, LAYERS, places, tile_px) for tile_px in (10_000, 64))
    for layer, expected in whole.items():
        np.testing.assert_allclose(tiled[layer], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(40, 56), (43, 61)], ids=str)
def test_by_position_and_in_order_are_inverse(layer, size):
    places = places_of(size, LAYERS)
    rows, columns = places.grid(size)
    values = np.random.default_rng(0).normal(size=rows * columns).astype(np.float32)
    arranged = places.by_position(values, layer, size, beyond=-9)
    assert arranged.shape[1] == places.along(layer) ** 2
    assert np.sum(arranged == -9) == arranged.size - values.size
    np.testing.assert_array_equal(places.in_order(tf.constant(arranged[..., None]), layer, size)[:, 0], values)
