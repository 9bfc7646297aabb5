"""The operations of layers are those of tf.nn, at odd sizes too."""

import numpy as np
import pytest
import tensorflow as tf

from nst.network.operations import average_pool, convolved, max_pool, relu, transpose_convolved

RANDOM = np.random.default_rng(0)
IMAGE = tf.constant(RANDOM.normal(size=(1, 7, 10, 4)), tf.float32)
KERNEL = tf.constant(RANDOM.normal(size=(3, 3, 4, 5)), tf.float32)
BIAS = tf.constant([-0.5, 0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda x: convolved(x, KERNEL), lambda x: tf.nn.conv2d(x, KERNEL, 1, "SAME")),
        (
            lambda x: transpose_convolved(x, tf.transpose(KERNEL, [0, 1, 3, 2])),
            lambda x: tf.nn.conv2d_transpose(x, tf.transpose(KERNEL, [0, 1, 3, 2]), [1, 7, 10, 5], 1, "SAME"),
        ),
        (lambda x: relu(x, BIAS), lambda x: tf.nn.relu(x + BIAS)),
        (lambda x: max_pool(x, 2), lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID")),
        (lambda x: average_pool(x, 3), lambda x: tf.nn.avg_pool2d(x, 3, 3, "VALID")),
    ],
    ids=["convolved", "transpose_convolved", "relu", "max_pool", "average_pool"],
)
def test_operations_and_their_gradients_are_those_of_tf_nn(ours, theirs):
    found = []
    for operation in (ours, theirs):
        with tf.GradientTape() as tape:
            tape.watch(IMAGE)
            result = operation(IMAGE)
            total = tf.reduce_sum(tf.square(result))
        found.append((result, tape.gradient(total, IMAGE)))
    for own, other in zip(*found, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-5)
