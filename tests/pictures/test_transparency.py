"""Colours continue under what is transparent, so that a picture gets its alpha back without a halo."""

import numpy as np
from PIL import Image

from nst.pictures.picture_files import read_picture
from nst.pictures.resizing import resize, resize_alpha
from nst.pictures.transparency import composite_over_white, continue_colors

RED = np.array([0.8, 0.1, 0.2], np.float32)


def disc(size_px=45):
    """A soft disc of one colour on black that cannot be seen: (image, alpha)."""
    rows, columns = np.mgrid[:size_px, :size_px] - size_px // 2
    alpha = np.clip(size_px / 4 + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    return np.where(alpha[..., None] > 0, RED, 0), alpha


def test_one_colour_fills_all_that_is_transparent():
    image, alpha = disc()
    assert (image[0, 0] == 0).all()
    np.testing.assert_allclose(continue_colors(image, alpha), np.broadcast_to(RED, image.shape), atol=1e-6)


def test_what_is_visible_is_not_touched():
    random = np.random.default_rng(1)
    image = random.random((33, 20, 3), dtype=np.float32)
    alpha = np.where(random.random((33, 20)) < 0.3, random.random((33, 20)), 0).astype(np.float32)
    filled = continue_colors(image, alpha)
    np.testing.assert_array_equal(filled[alpha > 0], image[alpha > 0])
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_the_nearest_colour_continues():
    image, alpha = np.zeros((32, 64, 3), np.float32), np.zeros((32, 64), np.float32)
    image[:, :20], alpha[:, :20] = (1, 0, 0), 1
    image[:, 44:], alpha[:, 44:] = (0, 0, 1), 1
    filled = continue_colors(image, alpha)
    np.testing.assert_allclose(filled[16, 20], (1, 0, 0), atol=0.1)
    np.testing.assert_allclose(filled[16, 43], (0, 0, 1), atol=0.1)
    assert (np.diff(filled[16, 20:44, 2]) > -0.02).all()  # from one to the other


def test_a_single_visible_pixel_is_enough():
    image, alpha = np.zeros((7, 50, 3), np.float32), np.zeros((7, 50), np.float32)
    image[6, 3], alpha[6, 3] = RED, 1 / 255
    np.testing.assert_allclose(continue_colors(image, alpha), np.broadcast_to(RED, image.shape), atol=1e-5)


def test_no_halo_after_resizing_and_giving_alpha_back(tmp_path):
    """On paper of the disc's own colour the disc cannot be seen, unless black leaks in from what was transparent."""
    image, alpha = disc()
    levels = np.rint(np.dstack([image, alpha]) * 255).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "disc.png")
    picture = read_picture(tmp_path / "disc.png")
    small, small_alpha = resize(picture.image, (17, 17)), resize_alpha(picture.alpha, (17, 17))
    on_red = small * small_alpha[..., None] + RED * (1 - small_alpha[..., None])
    np.testing.assert_allclose(on_red, np.broadcast_to(RED, small.shape), atol=0.5 / 255 + 1e-5)
    assert 0.1 < small_alpha.mean() < 0.3


def test_over_white():
    image, alpha = disc()
    white = composite_over_white(image, alpha)
    np.testing.assert_allclose(white[0, 0], 1)
    np.testing.assert_allclose(white[22, 22], RED)


def test_opaque_needs_no_alpha():
    assert resize_alpha(None, (4, 4)) is None
