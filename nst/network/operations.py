"""The operations of layers on images [1, height, width, channels], by tf.raw_ops.

tf.nn has the same, but its import takes a fifth of a second, as it loads recurrent networks with parts of Keras.
"""

import tensorflow as tf

ONE_BY_ONE = [1, 1, 1, 1]  # The strides of a layer that keeps the size.


def convolved(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Return the convolution with a kernel [3, 3, in, out]. Outside the image is zero."""
    return tf.raw_ops.Conv2D(input=x, filter=kernel, strides=ONE_BY_ONE, padding="SAME")


def transpose_convolved(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Return the transposed convolution with a kernel [3, 3, out, in]."""
    size = tf.concat([tf.shape(x)[:3], kernel.shape[2:3]], 0)
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=size, filter=kernel, out_backprop=x, strides=ONE_BY_ONE, padding="SAME"
    )


def relu(x: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Return max(0, x + bias), with a bias [channels]."""
    return tf.raw_ops.Relu(features=tf.raw_ops.BiasAdd(value=x, bias=bias))


def max_pool(x: tf.Tensor, side: int) -> tf.Tensor:
    """Return the maximum of each square of side x side positions. Squares partly outside the image are left out."""
    return tf.raw_ops.MaxPool(input=x, ksize=_square(side), strides=_square(side), padding="VALID")


def average_pool(x: tf.Tensor, side: int) -> tf.Tensor:
    """Return the mean of each square of side x side positions, as max_pool."""
    return tf.raw_ops.AvgPool(value=x, ksize=_square(side), strides=_square(side), padding="VALID")


def _square(side: int) -> list[int]:
    return [1, side, side, 1]
