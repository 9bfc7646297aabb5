"""The start of a finer scale: the photo's fine detail, and the style's own where the photo has none."""

import numpy as np
import pytest

from nst.pictures.resizing import resize
from nst.settings import Settings
from nst.transfer.scales import Scale
from nst.transfer.upscaling import borrowed_detail, corners, enlarge, lack, nearest, split_detail

COARSE, FINE = Scale((20, 28), ((24, 18),), 1), Scale((40, 56), ((48, 36),), 1)
WHOLE = [np.ones((1, 1, 1), np.float32)]
FLAT = np.full((40, 56, 3), 0.5, np.float32)


def noise(size, spread, seed=4):
    return (0.5 + np.random.default_rng(seed).normal(0, spread, (*size, 3))).astype(np.float32)


def test_the_first_pictures_detail_is_kept_as_strong_as_the_styles():
    faint, rough = noise(FINE.size, 0.04), noise(FINE.style_sizes[0], 0.05)
    enlarged = enlarge(resize(FLAT, COARSE.size), faint, [rough], WHOLE, COARSE, FINE, Settings(strokes=0.0))
    _, detail = split_detail(faint, COARSE.size)
    np.testing.assert_allclose((enlarged - 0.5).std() / detail.std(), 1.25, rtol=0.1)
    assert np.corrcoef((enlarged - 0.5).ravel(), detail.ravel())[0, 1] > 0.999


def test_a_plain_picture_gets_strokes_of_the_style_as_strong_as_they_are():
    image, rough = noise(COARSE.size, 0.05), noise(FINE.style_sizes[0], 0.05, seed=5)
    plain = enlarge(image, FLAT, [rough], WHOLE, COARSE, FINE, Settings(strokes=0.0))
    np.testing.assert_allclose(plain, resize(image, FINE.size), atol=1e-6)
    strokes = enlarge(image, FLAT, [rough], WHOLE, COARSE, FINE, Settings(strokes=1.0)) - plain
    _, theirs = split_detail(rough, COARSE.style_sizes[0])
    assert 0.6 < strokes.std() / theirs.std() < 1.1
    half = enlarge(image, FLAT, [rough], WHOLE, COARSE, FINE, Settings(strokes=0.5)) - plain
    np.testing.assert_allclose(half, strokes / 2, atol=1e-6)


def test_the_style_reduced_gets_its_own_detail_back():
    """Every patch of the blurred style is most like itself."""
    style = noise((48, 64), 0.1)
    blurred, detail = split_detail(style, (24, 32))
    np.testing.assert_allclose(borrowed_detail(blurred, blurred, detail), detail, atol=1e-6)


def test_strokes_lie_where_the_photo_is_plain():
    ours = noise((64, 200), 0.1) - 0.5
    ours[:, 100:] = 0
    factor = lack(ours, 0.1**2)
    assert factor.shape == (64, 200, 1)
    assert factor[:, :70].max() < 0.5
    np.testing.assert_allclose(factor[:, 150:], 1, atol=1e-3)
    assert lack(ours, 0).max() <= 1  # a style of one colour has no detail to be weaker than


def test_each_style_gives_strokes_where_it_belongs():
    image, styles = noise(COARSE.size, 0.05), [noise((48, 36), 0.05, seed=seed) for seed in (5, 6)]
    coarse, fine = (Scale(scale.size, scale.style_sizes * 2, 1) for scale in (COARSE, FINE))
    left = np.repeat((np.arange(56) < 28)[None, :, None], 40, axis=0).astype(np.float32)
    both = enlarge(image, FLAT, styles, [left, 1 - left], coarse, fine, Settings(strokes=1.0))
    alone = [enlarge(image, FLAT, [style], WHOLE, COARSE, FINE, Settings(strokes=1.0)) for style in styles]
    np.testing.assert_allclose(both[:, :28], alone[0][:, :28], atol=1e-6)
    np.testing.assert_allclose(both[:, 28:], alone[1][:, 28:], atol=1e-6)


def test_strokes_of_a_blend_are_as_strong_as_those_of_one_style():
    image, styles = noise(COARSE.size, 0.05), [noise((48, 36), 0.05, seed=seed) for seed in (5, 6)]
    coarse, fine = (Scale(scale.size, scale.style_sizes * 2, 1) for scale in (COARSE, FINE))
    blend = enlarge(image, FLAT, styles, [WHOLE[0] / 2] * 2, coarse, fine, Settings(strokes=1.0))
    alone = enlarge(image, FLAT, styles[:1], WHOLE, COARSE, FINE, Settings(strokes=1.0))
    plain = resize(image, FINE.size)
    np.testing.assert_allclose((blend - plain).std(), (alone - plain).std(), rtol=0.2)


@pytest.mark.parametrize(("length", "side", "step"), [(16, 16, 8), (40, 16, 8), (41, 16, 8), (5, 5, 1), (17, 16, 5)])
def test_patches_cover_the_whole_length(length, side, step):
    starts = corners(length, side, step)
    assert (starts[0], starts[-1]) == (0, length - side)
    assert max(np.diff(starts), default=0) <= step


def test_nearest_finds_the_least_distance_for_more_than_one_lot():
    random = np.random.default_rng(0)
    queries, candidates = random.normal(size=(700, 5)), random.normal(size=(90, 5))
    distances = np.linalg.norm(queries[:, None] - candidates, axis=-1)
    np.testing.assert_array_equal(nearest(queries, candidates), distances.argmin(axis=1))


@pytest.mark.parametrize("size", [(16, 16), (16, 90), (23, 17)])
def test_small_and_narrow_pictures(size):
    coarse, fine = Scale((16, 16), ((16, 20),), 1), Scale(size, ((16, 40),), 1)
    enlarged = enlarge(
        FLAT[:16, :16], noise(size, 0.1), [noise((16, 40), 0.1)], WHOLE, coarse, fine, Settings(strokes=1.0)
    )
    assert enlarged.shape == (*size, 3)
    assert enlarged.dtype == np.float32
    assert np.isfinite(enlarged).all()
