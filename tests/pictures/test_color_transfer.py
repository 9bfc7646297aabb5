"""Colours matched to another picture's, and a result that keeps those of the photo."""

import numpy as np
import pytest

from nst.pictures.color_transfer import match_colors, match_histogram, match_lightness, oklab, srgb, with_colors_of

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.uniform(size=(40, 50, 3)).astype(np.float32)
OTHER = RANDOM.beta(2, 5, size=(30, 60, 3)).astype(np.float32)


def test_matched_colors_have_the_styles_mean_and_covariance(content):
    style = np.random.default_rng(0).normal(0.5, 0.05, (30, 30, 3)).astype(np.float32)  # far from the bounds
    style[..., 1] = 0.5 * style[..., 0] + 0.5 * style[..., 1]
    matched = match_colors(content, style)
    np.testing.assert_allclose(matched.mean((0, 1)), style.mean((0, 1)), atol=2e-3)
    ours, theirs = (np.cov(picture.reshape(-1, 3).T) for picture in (matched, style))
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_matching_a_picture_to_itself_changes_nothing(content):
    np.testing.assert_allclose(match_colors(content, content), content, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_one_colour_is_matched_without_numbers_going_wrong(value, content):
    flat = np.full((20, 20, 3), value, np.float32)
    for matched in (match_colors(flat, content), match_colors(content, flat)):
        assert np.isfinite(matched).all()


def test_oklab_of_known_colours():
    """From the table of Ottosson 2020, and white."""
    colours = np.array([[[1, 1, 1], [1, 0, 0], [0, 0, 0]]], np.float32)
    expected = [[[1, 0, 0], [0.628, 0.225, 0.126], [0, 0, 0]]]
    np.testing.assert_allclose(oklab(colours), expected, atol=1e-3)


def test_oklab_and_back():
    np.testing.assert_allclose(srgb(oklab(PICTURE)), PICTURE, atol=1e-5)


def test_matched_histograms_are_the_others_along_its_axes():
    other = 0.5 + 0.3 * (OTHER - OTHER.mean())  # so that nothing is clipped
    matched = match_histogram(PICTURE, other)
    axes = np.linalg.eigh(np.cov(other.reshape(-1, 3).T))[1]
    shares = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(*(np.quantile(x @ axes, shares, axis=(0, 1)) for x in (matched, other)), atol=1e-3)


def test_matched_histograms_keep_light_and_dark_and_give_equal_colours_equal_ones():
    ramp = np.repeat(np.linspace(0, 1, 64)[None, :, None], 3, axis=2).astype(np.float32)
    ramp = np.concatenate([ramp, ramp])
    matched = match_histogram(ramp, OTHER)
    np.testing.assert_array_equal(matched[0], matched[1])
    assert np.corrcoef(matched.mean(axis=(0, 2)), np.arange(64))[0, 1] > 0.9


def test_matched_lightness_is_grey_with_the_others_mean_and_deviation():
    grey = match_lightness(PICTURE, OTHER)
    assert np.ptp(grey, axis=-1).max() < 1e-3
    ours, theirs = oklab(grey)[..., 0], oklab(OTHER)[..., 0]
    np.testing.assert_allclose([ours.mean(), ours.std()], [theirs.mean(), theirs.std()], rtol=0.02)


def test_colours_of_the_photo_in_the_lightness_of_the_picture():
    photo = np.flip(PICTURE, axis=0)
    mixed = with_colors_of(PICTURE, photo)
    np.testing.assert_allclose(oklab(mixed)[..., 0], oklab(PICTURE)[..., 0], atol=5e-3)
    ours, theirs = oklab(mixed)[..., 1:], oklab(photo)[..., 1:]
    hues = [np.arctan2(x[..., 1], x[..., 0]) for x in (ours, theirs)]
    vivid = np.linalg.norm(ours, axis=-1) > 0.05
    np.testing.assert_allclose(np.cos(hues[0] - hues[1])[vivid], 1, atol=0.01)
    np.testing.assert_allclose(with_colors_of(photo, photo), photo, atol=1e-3)


@pytest.mark.parametrize("match", [match_histogram, match_lightness])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_pictures_of_one_colour_are_matched_too(match, value):
    flat = np.full((20, 20, 3), value, np.float32)
    for found in (match(flat, PICTURE), match(PICTURE, flat)):
        assert np.isfinite(found).all()
        assert 0 <= found.min() <= found.max() <= 1
