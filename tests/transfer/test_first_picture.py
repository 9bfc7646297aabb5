"""The first picture: the photo, a style, noise or a picture of the user's own, in the styles' colours."""

import numpy as np
import pytest

from nst.preset_files import make_settings
from nst.transfer.first_picture import first_picture, in_style_colors, palette
from nst.transfer.inputs import Inputs


def start(content, style, picture=None, **overrides):
    settings = make_settings(overrides={"match_colors": False, **overrides})
    return first_picture(Inputs(content, (style,), settings, start=picture), (20, 28))


def test_starts(content, style):
    assert np.abs(start(content, style) - content[1::2, 1::2]).max() < 0.2
    np.testing.assert_array_equal(start(content, style, init="style"), start(style, content))
    np.testing.assert_array_equal(start(content, style, picture=style, init="a.png"), start(style, content))


def test_noise_is_mixed_in_by_its_fraction_and_seed(content, style):
    plain, noise = start(content, style), start(content, style, init="noise")
    np.testing.assert_allclose(start(content, style, init_noise=0.3), 0.7 * plain + 0.3 * noise, atol=1e-6)
    np.testing.assert_array_equal(noise, start(content, style, init="noise"))
    assert np.abs(noise - start(content, style, init="noise", seed=1)).max() > 0.01
    assert np.ptp(noise[..., 0]) <= 40 / 255 + 1e-6


def test_a_path_as_start_needs_its_picture(content, style):
    with pytest.raises(ValueError, match="start"):
        start(content, style, init="a.png")


def test_the_course_starts_from_the_photo_mixed_with_60_percent_noise(content, style):
    course = make_settings("course")
    image = first_picture(Inputs(content, (style,), course), content.shape[:2])
    noise = np.random.default_rng(course.seed).uniform(-20, 20, content.shape)
    mean = np.array([123.68, 116.779, 103.939])
    np.testing.assert_allclose(image * 255 - mean, 0.6 * noise + 0.4 * (content * 255 - mean), atol=1e-3)


PHOTO = np.full((8, 8, 3), 0.5, np.float32)


def test_a_palette_is_of_what_is_shown_of_a_style():
    style = np.zeros((10, 10, 3), np.float32)
    style[:, 5:] = 1
    shown = np.repeat((np.arange(20) < 10)[None], 20, axis=0).astype(np.float32)
    for given, mean in (((), 0.5), ((shown,), 0), ((1 - shown,), 1)):
        assert palette(Inputs(PHOTO, (style,), make_settings(), shown=given), [1.0]).mean() == mean


def test_a_palette_has_as_many_colors_of_a_style_as_its_weight_says():
    red, blue = (np.full((10, 10, 3), color, np.float32) for color in ((1, 0, 0), (0, 0, 1)))
    colors = palette(Inputs(PHOTO, (red, blue), make_settings()), (0.75, 0.25))
    np.testing.assert_allclose(colors.mean(axis=(0, 1)), [0.75, 0, 0.25], atol=1e-3)


def test_colors_are_of_all_styles_or_with_masks_of_each_where_it_belongs(content):
    red, blue = (np.full((10, 10, 3), color, np.float32) for color in ((0.9, 0.1, 0.1), (0.1, 0.1, 0.9)))
    left = np.repeat((np.arange(56) < 28)[None], 40, axis=0).astype(np.float32)
    settings = make_settings()
    mixed = in_style_colors(content, Inputs(content, (red, blue), settings))
    np.testing.assert_allclose(mixed.mean(axis=(0, 1)), [0.5, 0.1, 0.5], atol=0.01)
    apart = in_style_colors(content, Inputs(content, (red, blue), settings, style_masks=(left, 1 - left)))
    assert apart[:, :28, 0].mean() > 0.8 > 0.2 > apart[:, 28:, 0].mean()
