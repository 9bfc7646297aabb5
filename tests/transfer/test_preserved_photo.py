"""What a picture keeps of the photo: its colours, and its pixels where it is not to change."""

import numpy as np
import pytest
from conftest import SHALLOW

from nst.pictures.color_transfer import oklab
from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.preserved_photo import finished, with_preserved_colors

SMALL = {"size": 56, "smallest_scale": 28, "steps": 3, "coarse_steps": 2.0, "learning_rate": 8.0}


def inputs_of(content, style, mask=None, **overrides):
    return Inputs(content, (style,), make_settings(overrides={**SMALL, **overrides}), content_mask=mask)


def chroma(image):
    return oklab(image)[..., 1:].mean(axis=(0, 1))


@pytest.fixture(scope="module")
def usual(redrawn, tiny_network, content, style):
    """The picture that preserves no colours."""
    return redrawn(inputs_of(content, style), tiny_network)


@pytest.mark.parametrize("kind", ["luminance", "statistics", "histogram"])
def test_preserved_colors_are_the_photos(redrawn, tiny_network, content, style, usual, kind):
    kept = redrawn(inputs_of(content, style, preserve_color=kind), tiny_network)
    apart = [np.abs(chroma(image) - chroma(content)).max() for image in (usual, kept)]
    assert apart[1] < 0.5 * apart[0]


def test_snapshots_too_keep_the_photos_colors(redrawn, content, style):
    pictures = []
    image = redrawn(
        inputs_of(content, style, preserve_color="luminance", **SHALLOW),
        on_step=[lambda step, picture, _: pictures.append(picture())],
    )
    np.testing.assert_array_equal(pictures[-1], image)
    assert np.ptp(oklab(pictures[0])[..., 1]) > 0.05


def test_the_photo_stays_where_the_mask_is_black(redrawn, content, style):
    mask = np.zeros((40, 56), np.float32)
    mask[:, :20] = 1
    image = redrawn(inputs_of(content, style, mask, **SHALLOW))
    np.testing.assert_allclose(image[:, 30:], content[:, 30:], atol=1e-5)
    assert np.abs(image[:, :20] - content[:, :20]).mean() > 0.05


def test_without_such_settings_all_stays_as_it_is(content, style):
    inputs = inputs_of(content, style)
    assert with_preserved_colors(inputs) is inputs
    assert finished(style, inputs) is style


def test_for_luminance_the_network_sees_only_grey(content, style):
    inputs = with_preserved_colors(inputs_of(content, style, preserve_color="luminance"))
    for image in (inputs.content, *inputs.styles):
        assert np.ptp(image, axis=-1).max() < 1e-3
