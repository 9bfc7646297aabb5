"""The costs of Gatys et al. 2016 as pure functions of TensorFlow tensors. They never see the network."""

from collections.abc import Callable

import tensorflow as tf


@tf.custom_gradient
def gram_matrix(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return FᵀF of features [positions, channels] as [channels, channels]. Gatys et al. 2016, eq. 3.

    The gradient F (D + Dᵀ) is one product, where automatic differentiation of FᵀF takes two.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.matmul(features, upstream + tf.transpose(upstream))

    return tf.matmul(features, features, transpose_a=True), gradient


def style_statistics(features: tf.Tensor) -> tf.Tensor:
    """Return the Gram matrix of features [positions, channels] divided by the number of positions.

    So divided, pictures of different size can be compared.
    """
    return gram_matrix(features) / tf.cast(tf.shape(features)[0], features.dtype)


def style_cost(statistics: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return J_style of one layer: sum((S - G)²) / (4 nC²), both Gram matrices divided by their positions.

    Where both pictures have nH nW positions this is Gatys et al. 2016, eq. 4, with 4 nC² (nH nW)².
    """
    channels = tf.cast(tf.shape(statistics)[0], statistics.dtype)
    return tf.reduce_sum(tf.square(statistics - target)) / (4.0 * tf.square(channels))


def content_cost(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return J_content: sum((C - G)²) / (4 nH nW nC) of activations [positions, channels]."""
    return tf.reduce_sum(tf.square(features - target)) / (4.0 * tf.cast(tf.size(features), features.dtype))


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Return the mean squared step between neighbours of an image [height, width, 3]. 0 for a flat picture."""
    down = tf.square(image[1:] - image[:-1])
    right = tf.square(image[:, 1:] - image[:, :-1])
    return tf.reduce_mean(down) + tf.reduce_mean(right)
