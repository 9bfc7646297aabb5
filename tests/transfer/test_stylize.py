"""The loop over the scales, from arrays to an array, with a tiny network."""

import numpy as np
import pytest

from nst.network.vgg19 import build_network
from nst.pictures.color_transfer import oklab
from nst.settings import Settings, make_settings
from nst.transfer.first_picture import first_picture, palette
from nst.transfer.inputs import Inputs
from nst.transfer.scales import plan_scales
from nst.transfer.state import Step
from nst.transfer.stylize import stylize

SMALL = {"size": 64, "smallest_scale": 32, "steps": 3, "coarse_steps": 2.0}


@pytest.fixture
def features(tiny_weights):
    return build_network(tiny_weights, [layer for layer, _ in Settings().style_layers + Settings().content_layers])


def redraw(inputs, features, **options):
    """Return the picture of all scales that the settings ask for."""
    sizes = [style.shape[:2] for style in inputs.styles]
    return stylize(inputs, features, plan_scales(inputs.content.shape[:2], sizes, inputs.settings), **options)


def test_result_has_the_size_and_every_step_is_reported(features, content, style):
    steps, pictures = [], []

    def on_step(step, picture, state):
        steps.append(step)
        pictures.append(picture())

    image = redraw(Inputs(content, (style,), make_settings(overrides=SMALL)), features, on_step=[on_step])
    assert image.shape == (46, 64, 3)
    assert image.dtype == np.float32
    assert [step.number for step in steps] == list(range(1, 10))
    assert [max(step.size) for step in steps] == [32] * 6 + [64] * 3
    assert steps[-1].costs["total"] < steps[0].costs["total"]
    np.testing.assert_array_equal(pictures[-1], image)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "lbfgs"},
        {"init": "noise"},
        {"copies": False},
        {"balance": False},
        {"strokes": 0.0},
        {"preserve_color": "histogram"},
        {"style_loss": "covariance"},
    ],
)
def test_same_settings_same_pixels(features, content, style, changes):
    settings = make_settings(overrides={**SMALL, **changes})
    first, again = (redraw(Inputs(content, (style,), settings), features) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_no_cost_keeps_the_content(features, content):
    """With the content as its own style and start there is nothing to gain, so nothing is lost."""
    settings = make_settings(overrides={**SMALL, "size": 56, "smallest_scale": 56, "optimizer": "lbfgs"})
    np.testing.assert_allclose(redraw(Inputs(content, (content,), settings), features), content, atol=0.02)


def start(content, style, picture=None, **overrides):
    settings = make_settings(overrides={"match_colors": False, **overrides})
    return first_picture(Inputs(content, (style,), settings, start=picture), (20, 28))


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


def test_a_path_as_start_needs_its_picture(content, style):
    with pytest.raises(ValueError, match="start"):
        start(content, style, init="a.png")


def redrawn(features, content, *styles, masks=(), content_mask=None, **changes):
    settings = make_settings(overrides={**SMALL, "size": 56, "smallest_scale": 28, **changes})
    inputs = Inputs(content, styles, settings, style_masks=masks, content_mask=content_mask)
    return redraw(inputs, features)


def test_without_strength_the_photo_stays(features, content, style):
    np.testing.assert_allclose(redrawn(features, content, style, strength=0.0), content, atol=0.01)
    assert np.abs(redrawn(features, content, style) - content).mean() > 0.1


def test_two_styles_left_and_right(features, content):
    dark, light = (np.full((40, 40, 3), value, np.float32) for value in (0.2, 0.8))
    left = np.repeat((np.arange(56) < 28)[None], 40, axis=0).astype(np.float32)
    image = redrawn(features, content, dark, light, masks=(left, 1 - left))
    assert image[:, :24].mean() < 0.4 < 0.6 < image[:, 32:].mean()


def test_a_blend_lies_between_its_styles(features, content):
    dark, light = (np.full((40, 40, 3), value, np.float32) for value in (0.2, 0.8))
    means = [redrawn(features, content, dark, light, style_weights=[9, weight]).mean() for weight in (1, 9, 81)]
    assert means[0] < means[1] < means[2]


def test_the_photo_stays_where_the_mask_is_black(features, content, style):
    mask = np.zeros((40, 56), np.float32)
    mask[:, :20] = 1
    image = redrawn(features, content, style, content_mask=mask)
    np.testing.assert_allclose(image[:, 30:], content[:, 30:], atol=1e-5)
    assert np.abs(image[:, :20] - content[:, :20]).mean() > 0.05


@pytest.mark.parametrize("kind", ["luminance", "statistics", "histogram"])
def test_preserved_colors_are_the_photos(features, content, style, kind):
    usual = redrawn(features, content, style)
    kept = redrawn(features, content, style, preserve_color=kind)
    wanted = oklab(content)[..., 1:].mean(axis=(0, 1))
    apart = [np.abs(oklab(image)[..., 1:].mean(axis=(0, 1)) - wanted).max() for image in (usual, kept)]
    assert apart[1] < 0.5 * apart[0]


def test_snapshots_too_keep_the_photos_colors(features, content, style):
    settings = make_settings(overrides={**SMALL, "preserve_color": "luminance"})
    pictures = []
    image = redraw(
        Inputs(content, (style,), settings), features, on_step=[lambda step, picture, _: pictures.append(picture())]
    )
    np.testing.assert_array_equal(pictures[-1], image)
    assert np.ptp(oklab(pictures[0])[..., 1]) > 0.05


def test_a_palette_has_as_many_colors_of_a_style_as_its_weight_says(content):
    red, blue = (np.full((10, 10, 3), color, np.float32) for color in ((1, 0, 0), (0, 0, 1)))
    colors = palette(Inputs(content, (red, blue), make_settings(overrides={"style_weights": [3, 1]})))
    np.testing.assert_allclose(colors.mean(axis=(0, 1)), [0.75, 0, 0.25], atol=1e-3)


def test_the_time_is_estimated_before_the_first_step(features, content, style):
    events = []
    settings = make_settings(overrides=SMALL)
    redraw(
        Inputs(content, (style,), settings),
        features,
        on_step=[lambda step, *_: events.append(step)],
        on_estimate=events.append,
    )
    assert 0 < events[0] < 60
    assert all(isinstance(event, Step) for event in events[1:])
    limited = make_settings(overrides={**SMALL, "max_time": 1e-6})
    redraw(Inputs(content, (style,), limited), features, on_estimate=events.append)
    assert events[-1] == 1e-6
