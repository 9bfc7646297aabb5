"""Every way to compute the convolution gives TensorFlow's own, and its gradient."""

import numpy as np
import pytest
import tensorflow as tf

from nst.network.winograd import WinogradTiles, convolution, direct_convolution, winograd_convolution


def assert_is_tensorflow_s(convolve, kernel, size, side, atol):
    """Compare with tf.nn.conv2d and its gradient, for normal numbers and a kernel that keeps their scale."""
    random = np.random.default_rng(1)
    x = tf.constant(random.normal(size=(1, *size, kernel.shape[2])), tf.float32)
    upstream = random.normal(size=(1, *size, kernel.shape[3])).astype(np.float32)
    results = []
    for way in (convolve, lambda x, tiles: tf.nn.conv2d(x, kernel, 1, "SAME")):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = way(x, WinogradTiles(x, side))
            total = tf.reduce_sum(y * upstream)
        results.append((y, tape.gradient(total, x)))
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, atol=atol)


def make_kernel(channels_in, channels_out):
    shape = (3, 3, channels_in, channels_out)
    return (np.random.default_rng(2).normal(size=shape) / np.sqrt(9 * channels_in)).astype(np.float32)


def test_direct_convolution():
    kernel = make_kernel(5, 7)
    assert_is_tensorflow_s(direct_convolution(kernel), kernel, (9, 12), 4, atol=1e-5)


@pytest.mark.parametrize("side", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (4, 8), (9, 14), (17, 3)])
def test_winograd_convolution(size, side):
    kernel = make_kernel(24, 16)
    assert_is_tensorflow_s(winograd_convolution(kernel, side), kernel, size, side, atol=5e-4)


@pytest.mark.parametrize(("channels", "atol"), [((3, 64), 1e-5), ((64, 64), 1e-5), ((64, 128), 5e-4)])
def test_convolution_of_all_kinds_of_layers(channels, atol):
    kernel = make_kernel(*channels)
    assert_is_tensorflow_s(convolution(kernel, "float32", 4), kernel, (10, 7), 4, atol)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_convolution_in_a_smaller_type_is_near(precision):
    kernel = make_kernel(64, 128)
    x = tf.random.stateless_normal([1, 10, 7, 64], [1, 2])
    near = convolution(kernel, precision, 4)(tf.cast(x, precision), WinogradTiles(x, 4))
    assert near.dtype == precision
    np.testing.assert_allclose(tf.cast(near, tf.float32), tf.nn.conv2d(x, kernel, 1, "SAME"), atol=0.05)
