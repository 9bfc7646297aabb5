"""Where each style belongs: its share of each pixel, and the weights of a layer's positions."""

import numpy as np
import pytest

from nst.preset_files import make_settings
from nst.settings import Settings
from nst.transfer.inputs import Inputs
from nst.transfer.masks import (
    mixed,
    overall_weights,
    position_weights,
    reaches,
    region_shares,
    regions_of,
    style_shares,
)

PICTURE = np.full((32, 48, 3), 0.5, np.float32)
LEFT = np.repeat((np.arange(48) < 24)[None], 32, axis=0).astype(np.float32)


def test_without_masks_shares_are_the_weights():
    settings = make_settings(overrides={"style_weights": ["3", "1"]})
    shares = style_shares(Inputs(PICTURE, (PICTURE, PICTURE), settings), (8, 12))
    assert [share.item() for share in shares] == [0.75, 0.25]


def test_masks_are_resized_and_keep_their_soft_edges():
    shares = style_shares(Inputs(PICTURE, (PICTURE,) * 2, Settings(), style_masks=(LEFT, 1 - LEFT)), (11, 15))
    assert shares[0].shape == (11, 15, 1)
    np.testing.assert_allclose(shares[0] + shares[1], 1, atol=1e-5)
    assert ((shares[0] > 0.1) & (shares[0] < 0.9)).any()


def test_overlapping_masks_share_the_place_and_an_empty_place_has_none():
    masks = (np.ones_like(LEFT), LEFT)
    first, second = style_shares(Inputs(PICTURE, (PICTURE,) * 2, Settings(), style_masks=masks), (32, 48))
    assert (first[0, 0, 0], second[0, 0, 0], first[0, -1, 0], second[0, -1, 0]) == (0.5, 0.5, 1, 0)
    (empty,) = style_shares(Inputs(PICTURE, (PICTURE,), Settings(), style_masks=(LEFT,)), (32, 48))
    assert empty[0, -1, 0] == 0


def test_a_content_mask_limits_every_style():
    inputs = Inputs(PICTURE, (PICTURE,) * 2, Settings(), content_mask=LEFT)
    first, second = style_shares(inputs, (32, 48))
    assert (first[0, 0, 0], second[0, 0, 0], first[0, -1, 0], second[0, -1, 0]) == (0.5, 0.5, 0, 0)


@pytest.mark.parametrize(("layer", "positions"), [("conv1_2", 32 * 48), ("conv3_1", 8 * 12), ("conv5_1", 2 * 3)])
def test_at_a_layer_the_positions_weigh_1_together(layer, positions):
    weights = position_weights(LEFT[..., None], layer)
    assert weights.shape == (positions, 1)
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-6)


def test_at_a_layer_a_position_has_the_share_of_its_pixels():
    share = np.zeros((5, 9, 1), np.float32)  # odd sizes lose their last row and column, as in the network
    share[:2, :2] = 1
    share[0, 4] = 1
    np.testing.assert_allclose(position_weights(share, "conv2_1").ravel(), np.array([4, 0, 1, 0, 0, 0, 0, 0]) / 5)


def test_mixed_is_the_sum_by_shares():
    parts = [np.full((32, 48, 3), value, np.float32) for value in (1, 3)]
    image = mixed(parts, [LEFT[..., None], 1 - LEFT[..., None]])
    assert (image[0, 0, 0], image[0, -1, 0]) == (1, 3)


def test_styles_whose_masks_are_in_proportion_are_one_region():
    half = np.full((32, 48), 0.5, np.float32)
    inputs = Inputs(PICTURE, (PICTURE,) * 4, Settings(), style_masks=(LEFT, half, 0.5 * LEFT, half))
    regions = regions_of(inputs)
    assert [region.members for region in regions] == [(0, 2), (1, 3)]
    np.testing.assert_allclose([region.styles for region in regions], [[2 / 3, 0, 1 / 3, 0], [0, 0.5, 0, 0.5]])
    np.testing.assert_allclose(overall_weights(inputs), [0.5 / 1.75, 0.5 / 1.75, 0.25 / 1.75, 0.5 / 1.75], rtol=1e-5)
    assert [share.shape for share in region_shares(inputs, (32, 48))] == [(32, 48, 1)] * 2


def test_masks_of_half_grey_are_no_region_of_their_own():
    half = np.full((32, 48), 0.5, np.float32)
    assert region_shares(Inputs(PICTURE, (PICTURE,) * 2, Settings(), style_masks=(half, half)), (16, 24)) == []
    assert len(region_shares(Inputs(PICTURE, (PICTURE,), Settings(), style_masks=(half,)), (16, 24))) == 1


def test_a_region_moves_its_pixels_as_far_as_the_regions_have_them():
    first, second = (np.array(values, np.float32).reshape(1, -1, 1) for values in ([1, 0.5, 0.2, 0], [0, 0.5, 0.2, 0]))
    found = [reach.ravel().tolist() for reach in reaches([first, second])]
    np.testing.assert_allclose(found, [[1, 1, 0.4, 0], [0, 1, 0.4, 0]])
