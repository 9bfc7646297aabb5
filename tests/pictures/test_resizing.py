"""Pictures keep their colours and their shape when they are resized."""

import numpy as np

from nst.pictures.resizing import resize, resize_matrix, size_with_long_side


def test_resize_keeps_flat_pictures_and_range(content):
    np.testing.assert_allclose(resize(np.full((40, 30, 3), 0.3, np.float32), (17, 11)), 0.3, atol=1e-6)
    small = resize(content, (13, 19))
    assert small.shape == (13, 19, 3)
    assert small.min() >= 0
    assert small.max() <= 1
    assert resize(content, content.shape[:2]) is content


def test_resize_matrices_do_what_resize_does(content):
    rows, columns = resize_matrix(40, 20), resize_matrix(56, 28)
    product = np.einsum("ah,hwc,bw->abc", rows, content, columns)
    np.testing.assert_allclose(product.clip(0, 1), resize(content, (20, 28)), atol=1e-5)


def test_long_side():
    assert size_with_long_side((600, 800), 512) == (384, 512)
    assert size_with_long_side((800, 600), 512) == (512, 384)
