"""The fine detail of the styles at the matched places, with which a scale begins."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW
from scipy.ndimage import gaussian_filter

from nst.preset_files import make_settings
from nst.system import large_arrays
from nst.transfer import style_detail, stylize
from nst.transfer.inputs import Inputs
from nst.transfer.known_image import KnownImage
from nst.transfer.matching import Candidates, Match
from nst.transfer.places import Places
from nst.transfer.scales import Scale, plan_scales
from nst.transfer.style_detail import AMOUNT, SIGMA_PX, add_style_detail

SIDE = 4
SIZE = (42, 57)  # A little more than whole places.
SCALE = Scale(SIZE, (SIZE,), 1, settled=True)


@pytest.fixture
def noisy():
    return np.random.default_rng(0).uniform(0.3, 0.7, (*SIZE, 3)).astype(np.float32)


def own_places(turn=0):
    """Return a match of each place of a picture to the same place of a style in a turn."""
    grid = (SIZE[0] // SIDE, SIZE[1] // SIDE)
    there = np.arange(grid[0] * grid[1])
    turned = np.stack([np.full(len(there), turn), there], axis=1)
    nothing = tf.zeros([0, 0])
    choices = Candidates({}, (), nothing, nothing, np.zeros(len(there), int), there, turned, (grid[:: (-1) ** turn],))
    return Match(Places(SIDE, SIDE), (choices,), there[None].astype(np.int32))


def inputs_of(photo, *styles, **more):
    return Inputs(photo, styles, make_settings(overrides={**SHALLOW, "strength": 1.0}), **more)


def fine(image):
    return image - gaussian_filter(image, (SIGMA_PX, SIGMA_PX, 0))


@pytest.mark.parametrize("turn", [0, 1])
def test_a_picture_that_is_matched_to_its_own_places_gets_its_own_fine_detail(noisy, turn):
    style = np.rot90(noisy[: SIZE[0] // SIDE * SIDE, : SIZE[1] // SIDE * SIDE], -turn)
    picture = np.full_like(noisy, 0.5)
    scale = replace(SCALE, style_sizes=(style.shape[:2],))
    add_style_detail(picture, own_places(turn), inputs_of(noisy, np.ascontiguousarray(style)), scale)
    inner = slice(0, 30), slice(0, 45)  # Off the places beyond which the edge is repeated.
    np.testing.assert_allclose(picture[inner], (0.5 + AMOUNT * fine(noisy))[inner], atol=1e-5)


def test_squares_of_a_style_fade_into_one_another(noisy):
    """All places are matched to one. In the middle between two of them, two squares count alike."""
    match = own_places()
    match = match._replace(nearest=np.full_like(match.nearest, 30))
    pixels = style_detail._pixels(match.candidates[0], [KnownImage.of(noisy)], match)
    grid = match.nearest.reshape(SIZE[0] // SIDE, SIZE[1] // SIDE)
    found = style_detail._Patchwork(grid, SIDE, pixels).rows(0, *SIZE)
    assert found.shape == noisy.shape
    assert found.min() >= noisy.min() - 1e-6
    np.testing.assert_allclose(found[8:24, 8:40], found[12:28, 12:44], atol=1e-6)
    np.testing.assert_array_equal(found[40:], np.broadcast_to(found[39], found[40:].shape))


def test_strips_make_the_same(noisy, monkeypatch):
    pictures = [np.full_like(noisy, 0.5) for _ in range(2)]
    for picture, strip_px in zip(pictures, (10**6, 3 * SIZE[1]), strict=True):
        monkeypatch.setattr(large_arrays, "STRIP_PX", strip_px)
        add_style_detail(picture, own_places(), inputs_of(noisy, noisy), SCALE)
    np.testing.assert_allclose(*pictures, atol=1e-6)


@pytest.mark.parametrize("least", ["strength", "size", "mask"])
def test_there_is_none_where_nothing_of_the_style_is_wanted(noisy, monkeypatch, least):
    inputs, half = inputs_of(noisy, noisy), slice(0, SIZE[0])
    if least == "strength":
        inputs = replace(inputs, settings=replace(inputs.settings, strength=0.0))
    elif least == "size":
        monkeypatch.setattr(style_detail, "LARGEST_PX", max(SIZE) - 1)
    else:
        half = slice(0, 20)
        mask = np.ones(SIZE, np.float32)
        mask[half] = 0
        inputs = replace(inputs, content_mask=mask)
    picture = np.full_like(noisy, 0.5)
    add_style_detail(picture, own_places(), inputs, SCALE)
    assert np.all(picture[half] == 0.5)
    if least == "mask":
        assert picture[30:].std() > 0.01


@pytest.mark.parametrize(("match_weight", "is_frame"), [(1.0, False), (0.0, False), (1.0, True)])
def test_all_scales_but_the_first_begin_with_it(shallow_network, content, style, monkeypatch, match_weight, is_frame):
    """But not those of a clip's frame, and none where nothing is matched."""
    sizes = []
    monkeypatch.setattr(stylize, "add_style_detail", lambda picture, *given: sizes.append(picture.shape[:2]))
    overrides = {**SHALLOW, "size": 112, "smallest_scale": 56, "steps": 1, "match_weight": match_weight}
    inputs = Inputs(content, (style,), make_settings(overrides=overrides), scene=content if is_frame else None)
    scales = plan_scales(content.shape[:2], [style.shape[:2]], inputs.settings)
    stylize.stylize(inputs, shallow_network, scales)
    assert len(scales) > 1
    assert sizes == [scale.size for scale in scales[1:] if match_weight and not is_frame]
