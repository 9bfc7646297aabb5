"""The loop over the scales, from arrays to an array, with a tiny network."""

import numpy as np
import pytest

from nst.scales import Scale
from nst.settings import Settings, make_settings
from nst.stylize import first_picture, match_colors, stylize
from nst.vgg19 import build_network

SMALL = {"size": 64, "smallest_scale": 32, "steps": 3, "coarse_steps": 2.0}


@pytest.fixture
def features(tiny_weights):
    return build_network(tiny_weights, [layer for layer, _ in Settings().style_layers + Settings().content_layers])


def test_result_has_the_size_and_every_step_is_reported(features, content, style):
    steps, pictures = [], []

    def on_step(step, picture):
        steps.append(step)
        pictures.append(picture())

    image = stylize(content, style, make_settings(overrides=SMALL), features, on_step=on_step)
    assert image.shape == (46, 64, 3)
    assert image.dtype == np.float32
    assert [step.number for step in steps] == list(range(1, 10))
    assert [max(step.size) for step in steps] == [32] * 6 + [64] * 3
    assert steps[-1].costs["total"] < steps[0].costs["total"]
    np.testing.assert_array_equal(pictures[-1], image)


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "lbfgs"}, {"init": "noise"}, {"copies": False}, {"balance": False}, {"strokes": 0.0}]
)
def test_same_settings_same_pixels(features, content, style, changes):
    settings = make_settings(overrides={**SMALL, **changes})
    first, again = (stylize(content, style, settings, features) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_no_cost_keeps_the_content(features, content):
    """With the content as its own style and start there is nothing to gain, so nothing is lost."""
    settings = make_settings(overrides={**SMALL, "size": 56, "smallest_scale": 56, "optimizer": "lbfgs"})
    np.testing.assert_allclose(stylize(content, content, settings, features), content, atol=0.02)


SCALE = Scale((20, 28), (24, 18), 1)


def start(content, style, picture=None, **overrides):
    return first_picture(content, style, picture, SCALE, make_settings(overrides={"match_colors": False, **overrides}))


def test_starts(content, style):
    assert np.abs(start(content, style) - content[1::2, 1::2]).max() < 0.2
    np.testing.assert_array_equal(start(content, style, init="style"), start(style, content))
    np.testing.assert_array_equal(start(content, style, picture=style, init="a.png"), start(style, content))


def test_noise_is_mixed_in_by_its_share_and_seed(content, style):
    plain, noise = start(content, style), start(content, style, init="noise")
    np.testing.assert_allclose(start(content, style, init_noise=0.3), 0.7 * plain + 0.3 * noise, atol=1e-6)
    np.testing.assert_array_equal(noise, start(content, style, init="noise"))
    assert np.abs(noise - start(content, style, init="noise", seed=1)).max() > 0.01
    assert np.ptp(noise[..., 0]) <= 40 / 255 + 1e-6


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


def test_a_path_as_start_needs_its_picture(content, style):
    with pytest.raises(ValueError, match="start"):
        start(content, style, init="a.png")
