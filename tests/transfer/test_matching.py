"""The match: each place finds its like, in the right styles, in all turns, the same each time."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW

from nst.preset_files import make_settings
from nst.transfer import matching as module
from nst.transfer.inputs import Inputs
from nst.transfer.matching import make_match, matched_map, principal_axes
from nst.transfer.scales import Scale


def match_of(network, photo, *styles, picture=None, masks=(), shown=(), tile_px=10_000, **overrides):
    settings = make_settings(overrides={**SHALLOW, "match_colors": False, "strength": 0.01, **overrides})
    inputs = Inputs(photo, styles, settings, style_masks=masks, shown=shown)
    scale = Scale(photo.shape[:2], tuple(style.shape[:2] for style in styles), 1)
    return make_match(network, inputs, scale, picture, tile_px=tile_px)


def noise(size, seed=0):
    return np.random.default_rng(seed).uniform(size=(*size, 3)).astype(np.float32)


INNER = (slice(2, -2), slice(2, -2))  # of the grid of a style of 48x64 px: all but the rim, which is not matched


def test_each_place_of_the_style_finds_itself_but_on_the_rim(shallow_network):
    style, grid = noise((48, 64)), np.arange(12 * 16).reshape(12, 16)
    match = match_of(shallow_network, style, style)
    candidates = match.candidates[0]
    np.testing.assert_array_equal(candidates.places[match.nearest[0]].reshape(12, 16)[INNER], grid[INNER])
    np.testing.assert_array_equal(np.sort(candidates.places), grid[INNER].ravel())


def test_a_turned_photo_finds_itself_among_the_turns(shallow_network):
    """The place is told as that in the style before the turn."""
    style = noise((48, 64))
    match = match_of(shallow_network, np.ascontiguousarray(np.rot90(style)), style, rotations=4)
    found = match.candidates[0].places[match.nearest[0]].reshape(16, 12)
    np.testing.assert_array_equal(found[INNER], np.rot90(np.arange(12 * 16).reshape(12, 16))[INNER])


def test_a_blend_chooses_among_all_styles_by_weight(shallow_network):
    first, second = noise((48, 64)), noise((48, 64), 1)
    photo = np.concatenate([first[:, :32], second[:, 32:]], axis=1)
    match = match_of(shallow_network, photo, first, second)
    of_style = match.candidates[0].styles[match.nearest[0]].reshape(12, 16)
    assert np.mean(of_style[2:-2, 2:7] == 0) > 0.9
    assert np.mean(of_style[2:-2, 9:-2] == 1) > 0.9
    counts = np.bincount(match_of(shallow_network, photo, first, second, style_weights=[3, 1]).candidates[0].styles)
    np.testing.assert_allclose(counts, [96, 32], atol=1)
    assert set(match_of(shallow_network, photo, first, second, style_weights=[1, 0]).candidates[0].styles) == {0}


@pytest.mark.parametrize("rotations", [1, 4])
def test_only_what_is_shown_of_a_style_is_matched(shallow_network, rotations):
    style, shown = noise((48, 64)), np.zeros((24, 32), np.float32)
    shown[:, :16] = 1
    match = match_of(shallow_network, style, style, shown=(shown,), rotations=rotations)
    assert set(match.candidates[0].places % 16) == {2, 3, 4, 5, 6, 7}
    tiny = np.zeros((24, 32), np.float32)
    tiny[3, 7] = 1
    assert set(match_of(shallow_network, style, style, shown=(tiny,)).candidates[0].places) == {1 * 16 + 3}


def test_what_is_matched_is_partly_the_picture(shallow_network):
    photo, style = noise((48, 64), 1), noise((48, 64))
    alone, partly = (match_of(shallow_network, photo, style, picture=picture) for picture in (None, style))
    own = [np.mean(m.candidates[0].places[m.nearest[0]] == np.arange(192)) for m in (alone, partly)]
    assert own[1] > own[0]


def test_more_places_than_candidates(shallow_network, monkeypatch):
    monkeypatch.setattr(module, "MOST_CANDIDATES", 50)
    style = noise((52, 64))
    match, again = (match_of(shallow_network, noise((40, 40), 2), style) for _ in range(2))
    assert len(match.candidates[0].places) == len(set(match.candidates[0].places)) == 50
    np.testing.assert_array_equal(match.nearest, again.nearest)


def test_a_match_in_tiles_is_that_in_one_piece(tiny_network):
    photo, style = noise((120, 150), 1), noise((90, 140))
    given = {"match_layers": ["conv1_1", "conv3_1", "conv4_1"], "style_layers": ["conv1_1"]}
    whole, tiled = (match_of(tiny_network, photo, style, tile_px=side, **given) for side in (10_000, 64))
    assert np.mean(whole.nearest == tiled.nearest) > 0.99


def test_matched_map_counts_the_places_of_one_style(shallow_network):
    first, second = noise((48, 64)), noise((48, 64), 1)
    match = match_of(shallow_network, first, first, second)
    candidates, nearest = match.candidates[0], match.nearest[0]
    weights = np.zeros((12, 16))
    weights[INNER] = np.linspace(0, 1, 96).reshape(8, 12)
    found = [matched_map(candidates, nearest, style, weights.ravel()) for style in (0, 1)]
    assert np.mean(np.isclose(found[0], weights)) > 0.95
    np.testing.assert_allclose(found[0].sum() + found[1].sum(), weights.sum())


@pytest.mark.parametrize("channels", [20, 300])
def test_principal_axes_hold_the_most_variance(channels):
    random = np.random.default_rng(0)
    rows = (random.normal(size=(500, channels)) * np.geomspace(1, 0.001, channels)).astype(np.float32)
    axes = principal_axes(tf.constant(rows)).numpy()
    wanted = min(channels, module.AXES)
    assert axes.shape == (channels, wanted)
    np.testing.assert_allclose(axes.T @ axes, np.eye(wanted), atol=1e-4)
    best = np.sort(np.linalg.eigvalsh(rows.T @ rows))[-wanted:].sum()
    assert np.sum((rows @ axes) ** 2) > 0.999 * best
