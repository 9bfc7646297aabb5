"""The bands of a pyramid: a linear map to the picture, and its transpose; colours as the style varies them."""

import numpy as np
import pytest
import tensorflow as tf

from nst.settings import Settings
from nst.transfer.pyramid import band_pyramid, color_axes, combine, make_pyramid, pixel_pyramid, split
from nst.transfer.scales import Scale

STYLE = np.random.default_rng(2).uniform(-0.2, 1.2, (20, 24, 3)).astype(np.float32)


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("size", [(20, 24), (37, 16), (5, 5)])
def test_split_is_the_transpose_of_combine(size, settled):
    """<combine(bands), image> = <bands, split(image)>: so that the gradient in the bands is right."""
    pyramid = band_pyramid(size, color_axes(STYLE), settled=settled)
    random = np.random.default_rng(0)
    bands = [tf.constant(random.normal(size=(*band, 3)), tf.float32) for band in pyramid.sizes]
    image = tf.constant(random.normal(size=(*size, 3)), tf.float32)
    left = tf.reduce_sum(combine(bands, pyramid.band_map) * image)
    right = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(bands, split(image, pyramid.band_map), strict=True)])
    np.testing.assert_allclose(left, right, rtol=1e-4)


def test_bands_reach_from_the_picture_to_a_few_pixels():
    sizes = band_pyramid((384, 512), np.eye(3, dtype=np.float32), settled=False).sizes
    assert sizes[0] == (384, 512)
    assert max(sizes[-1]) <= 8
    assert pixel_pyramid((384, 512)).sizes == ((384, 512),)


def test_color_axes_are_drawn_out_as_the_style_varies():
    random = np.random.default_rng(0)
    grey = np.repeat(random.uniform(size=(30, 30, 1)), 3, axis=-1) + random.normal(0, 0.001, (30, 30, 3))
    axes = color_axes(grey.astype(np.float32))
    lengths = np.linalg.norm(axes, axis=1)
    np.testing.assert_allclose(lengths.max() / lengths.min(), 1000 / 3, rtol=1e-3)  # so that colour can still move
    longest = axes[lengths.argmax()]
    np.testing.assert_allclose(longest / longest[0], 1, atol=0.01)  # along grey
    np.testing.assert_allclose(np.mean(lengths**2), 1, rtol=1e-5)
    assert np.isfinite(color_axes(np.full((9, 9, 3), 0.5, np.float32))).all()


def test_on_pixels_the_picture_is_its_only_band(content):
    pyramid = make_pyramid(Scale(content.shape[:2], (), 1), STYLE, Settings(basis="pixels"))
    np.testing.assert_array_equal(combine([tf.constant(content)], pyramid.band_map), content)


def test_a_settled_scale_moves_its_coarse_bands_less():
    """Together the bands move a pixel as one band of amount 1 would, or by less where a coarser scale settled them."""
    for settled, together in ((False, 1), (True, 0.45)):
        scale = Scale((64, 64), (), 1, settled=settled)
        amounts = make_pyramid(scale, STYLE, Settings()).band_map.amounts.numpy()
        np.testing.assert_allclose(np.sqrt(np.sum(amounts**2)), together, rtol=1e-5)
        assert np.all(np.diff(amounts) < 0) if settled else np.all(np.diff(amounts) > 0)
