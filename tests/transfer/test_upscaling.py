"""The start of a finer scale, with some of the photo's fine detail."""

import numpy as np
import pytest

from nst.pictures.resizing import resize
from nst.settings import Settings
from nst.transfer.upscaling import enlarge, fine_detail

COARSE, FINE = (20, 28), (40, 56)


def noise(size, spread, seed=4):
    return (0.5 + np.random.default_rng(seed).normal(0, spread, (*size, 3))).astype(np.float32)


def lost(image):
    return fine_detail(image, resize(image, COARSE), slice(0, FINE[0]))


@pytest.mark.parametrize(
    ("settings", "amount"),
    [
        (Settings(), 0.1),
        (Settings(photo_detail=0.0), 0),
        (Settings(photo_detail=0.6), 0.6),
        (Settings(strength=0.0), 1),
        (Settings(strength=0.25), 0.55),
        (Settings(strength=1.0), 0.1),
    ],
)
def test_the_amount_of_the_photos_detail(settings, amount):
    image, first = noise(COARSE, 0.05), noise(FINE, 0.05, seed=5)
    found = enlarge(image, first, COARSE, FINE, settings) - resize(image, FINE)
    np.testing.assert_allclose(found, amount * lost(first), atol=1e-6)


def test_detail_is_what_the_smaller_picture_has_not():
    smooth = resize(noise((6, 8), 0.1), FINE)
    assert np.abs(lost(smooth)).max() < 0.02
    assert lost(noise(FINE, 0.1)).std() > 0.05


@pytest.mark.parametrize("size", [(16, 16), (16, 90), (23, 17)])
def test_small_and_narrow_pictures(size):
    enlarged = enlarge(noise((16, 16), 0.3), noise(size, 0.3), (16, 16), size, Settings())
    assert enlarged.shape == (*size, 3)
    assert enlarged.dtype == np.float32
    assert enlarged.min() >= 0
    assert enlarged.max() <= 1
