"""The costs as pure functions of TensorFlow tensors: those of Gatys et al. 2016, and others for the style.

They never see the network.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nst.transfer.style_loss import StyleLoss

ROOT_ROUNDS = 14  # The rounds of Newton's and Schulz' iteration for the root of a covariance.
LEAST_VARIANCE = 1e-6  # The least variance along a direction, as a fraction of the variances' sum.
ROUNDING = 1e-6  # The rounding of a covariance, a difference of large numbers, as a fraction of the squared mean.
LEAST_SQUARE = 1e-8  # The least square of a deviation. The root has no slope at 0.

LEAST_COLOR_SQUARE = 1e-4  # The same of the distance between two colours.

PositionWeights = Any  # A tensor [positions, 1] whose numbers add up to 1, or None for equal weights.
Costs = dict[str, tf.Tensor]  # A cost by its name, and the weighted sum of all as "total".


@tf.custom_gradient
def gram_matrix(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return FᵀF of features F [positions, channels] as [channels, channels]. Gatys et al. 2016, eq. 3.

    The gradient F (D + Dᵀ) is one product, where automatic differentiation of FᵀF takes two. Both products are of the
    features' type, with sums in float32. The Gram matrix of bfloat16 features is float32.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.matmul(features, tf.cast(upstream + tf.transpose(upstream, [1, 0]), features.dtype))

    return _in_float32(tf.matmul(features, features, transpose_a=True)), gradient


def gram_statistics(features: tf.Tensor, weights: PositionWeights = None) -> tf.Tensor:
    """Return the Gram matrix of features [positions, channels] divided by the number of positions.

    The division makes pictures of different size comparable. Weights of the positions take its place where they are
    given (Gatys et al. 2017, "Controlling perceptual factors", eq. 6).
    """
    if weights is not None:
        return _weighted_gram(features, tf.cast(weights, features.dtype))
    gram = gram_matrix(features)
    return gram / tf.cast(tf.shape(features)[0], gram.dtype)


@tf.custom_gradient
def _weighted_gram(
    features: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """Return FᵀWF with diagonal W. For the gradient W F (D + Dᵀ) no weighted copy of the features is kept."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return weights * tf.matmul(features, tf.cast(upstream + tf.transpose(upstream, [1, 0]), features.dtype)), None

    return _in_float32(tf.matmul(features, weights * features, transpose_a=True)), gradient


@tf.custom_gradient
def gram_cost(
    statistics: tf.Tensor, target: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """Return J_style of one layer: sum((S - G)²) / (4 nC²), both Gram matrices divided by their positions.

    Where both pictures have nH nW positions this is Gatys et al. 2016, eq. 4, with 4 nC² (nH nW)². The gradient makes a
    smaller graph than automatic differentiation. The number of channels must be known when the graph is made.
    """
    apart, divisor = statistics - target, 4.0 * statistics.shape[0] ** 2

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return 2.0 / divisor * upstream * apart, None

    return tf.reduce_sum(tf.square(apart)) / divisor, gradient


def covariance_statistics(features: tf.Tensor, weights: PositionWeights = None) -> tf.Tensor:
    """Return two parts, one below the other: the mean of features [positions, channels], and their Gram matrix.

    [1 + channels, channels], in float32: a Gram matrix rounded to bfloat16, less that of the mean, is no covariance.
    """
    features = _in_float32(features)
    return tf.concat([_mean(features, weights), gram_statistics(features, weights)], axis=0)


def covariance_target(statistics: tf.Tensor) -> tf.Tensor:
    """Return the mean and, below it, the square root of the covariance: [1 + channels, channels]."""
    mean, covariance = _mean_and_covariance(statistics)
    return tf.concat([mean[None], _root(covariance)[0]], axis=0)


def covariance_cost(statistics: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return the squared Wasserstein-2 distance of two Gaussians, which have the features' means and covariances.

    |m - n|² + tr(A + B - 2 (B^½ A B^½)^½), divided by the number of channels (Olkin & Pukelsheim 1982).
    """
    mean, ours = _mean_and_covariance(statistics)
    wanted, root = target[0], target[1:]
    channels = tf.cast(tf.shape(mean)[0], mean.dtype)
    apart = tf.reduce_sum(tf.square(mean - wanted)) + tf.linalg.trace(ours) + tf.reduce_sum(tf.square(root))
    return (apart - 2.0 * trace_of_root_product(ours, root)) / channels


def moments_statistics(features: tf.Tensor, weights: PositionWeights = None) -> tf.Tensor:
    """Return the mean and the mean square of each channel of features [positions, channels]: [2, channels]."""
    features = _in_float32(features)
    return tf.concat([_mean(features, weights), _mean(tf.square(features), weights)], axis=0)


def moments_cost(statistics: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return the mean squared difference of the channels' means and of their deviations. Huang & Belongie 2017, eq. 13.

    The same as covariance_cost for channels that do not vary together.
    """
    differences = [
        tf.reduce_mean(tf.square(ours - wanted))
        for ours, wanted in zip(_mean_and_deviation(statistics), _mean_and_deviation(target), strict=True)
    ]
    return tf.add_n(differences)


@tf.custom_gradient
def trace_of_root_product(
    a: tf.Tensor, root: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """Return tr (B^½ A B^½)^½ of a covariance A and the square root B^½ of another.

    Its slope in A is ½ B^½ (B^½ A B^½)^-½ B^½.
    """
    product, inverse = _root(root @ a @ root)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        return 0.5 * upstream * (root @ inverse @ root), None

    return tf.linalg.trace(product), gradient


def _root(matrix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the square root of a covariance, and that root's inverse, after Newton and Schulz (Higham 2008, eq. 6.35).

    All of it is products, which are quicker than an eigenvalue decomposition. A direction with less than LEAST_VARIANCE
    is taken to have that much.
    """
    identity = tf.eye(tf.shape(matrix)[0])
    norm = tf.maximum(tf.linalg.trace(matrix), 1e-12)
    root, inverse = matrix / norm + LEAST_VARIANCE * identity, identity
    for _ in range(ROOT_ROUNDS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * tf.sqrt(norm), inverse / tf.sqrt(norm)


def _in_float32(x: tf.Tensor) -> tf.Tensor:
    """Return bfloat16 as float32, since sums of many numbers are exact enough only there; other types as they are."""
    return tf.cast(x, tf.float32) if x.dtype == tf.bfloat16 else x


def _mean(features: tf.Tensor, weights: PositionWeights) -> tf.Tensor:
    """Return the mean over the positions as [1, channels]."""
    if weights is not None:
        return tf.reduce_sum(features * weights, axis=0, keepdims=True)
    return tf.reduce_mean(features, axis=0, keepdims=True)


def _mean_and_covariance(statistics: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the mean and the covariance, in each direction more by the rounding.

    What is no more than rounding may be less than 0, and then has no root.
    """
    mean = statistics[0]
    rounding = tf.stop_gradient(ROUNDING * tf.reduce_sum(tf.square(mean)))
    identity = tf.eye(tf.shape(mean)[0], dtype=mean.dtype)
    return mean, statistics[1:] - mean[:, None] * mean + rounding * identity


def _mean_and_deviation(statistics: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    mean, square = statistics[0], statistics[1]
    return mean, tf.sqrt(tf.maximum(square - tf.square(mean), LEAST_SQUARE))


def content_cost(features: tf.Tensor, target: tf.Tensor, weights: PositionWeights = None) -> tf.Tensor:
    """Return J_content: sum(w (C - G)²) / (4 nH nW nC) of activations [positions, channels].

    weights  w [positions, 1], of any sum; 1 where none are given
    """
    columns = 1.0 if weights is None else weights

    @tf.custom_gradient
    def cost(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def apart() -> tf.Tensor:  # Computed again on the way back, to save memory.
            return _in_float32(features) - _in_float32(target)

        total = tf.reduce_sum(columns * tf.square(apart()))
        divisor = 4.0 * tf.cast(tf.size(features), total.dtype)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.cast(2.0 * upstream / divisor * columns * apart(), features.dtype)

        return total / divisor, gradient

    found: tf.Tensor = cost(features)
    return found


def match_sums(features: tf.Tensor, wanted: tf.Tensor, squares: tf.Tensor) -> tf.Tensor:
    """Return the part of a layer in the products of match_cost: [positions, places, 2].

    features  F, the activations of a layer, [positions, channels]
    wanted    f T, with the layer's factor f and T, the layer's part of the wanted directions, at the places that belong
              to each position: [positions, places, channels]
    squares   f² of each place, [positions, places]

    First f F·T, then f² |F|². Added up over all layers of a hypercolumn h, they are h·t and |h|².
    """

    @tf.custom_gradient
    def sums(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        exact = _in_float32(features)
        # No product of matrices: that of many small ones rounds by the number of threads.
        along = tf.reduce_sum(exact[:, None] * wanted, axis=2)
        square = squares * tf.reduce_sum(tf.square(exact), axis=1, keepdims=True)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            slope = tf.reduce_sum(upstream[..., :1] * wanted, axis=1)
            slope += 2 * tf.reduce_sum(upstream[..., 1] * squares, axis=1, keepdims=True) * _in_float32(features)
            return tf.cast(slope, features.dtype)

        return tf.stack([along, square], axis=2), gradient

    found: tf.Tensor = sums(features)
    return found


def match_cost(sums: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return J_match for each column of weights [places, n]: sum(w (1 - h·t / |h|)). Kolkin et al. 2022, eq. 1.

    sums  [places, 2]: h·t of the hypercolumn h and the wanted direction t, of length 1, and |h|²
    """
    cosine = sums[:, :1] * tf.math.rsqrt(sums[:, 1:] + LEAST_SQUARE)
    return tf.reduce_sum(weights * (1 - cosine), axis=0)


def color_distances(colors: tf.Tensor) -> tf.Tensor:
    """Return the distances between all colours [n, 3] as [n, n]."""
    squares = tf.reduce_sum(tf.square(colors), axis=1)
    apart = squares[:, None] + squares - 2 * tf.matmul(colors, colors, transpose_b=True)
    return tf.sqrt(tf.maximum(apart, 0) + LEAST_COLOR_SQUARE)


def color_structure_cost(colors: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
    """Return J_color: mean |D - E|, of the distances D between all colours [n, 3] and those that they should have, E.

    The self-similarity of Kolkin et al. 2019, "Style transfer by relaxed optimal transport", on colours.
    """
    return tf.reduce_mean(tf.abs(color_distances(colors) - distances))


def steadiness_cost(image: tf.Tensor, wanted: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return mean(w |x - y|²) of an image and the one that it should stay near to. Ruder et al. 2016, eq. 7.

    weights  w [height, width, 1]
    """
    return tf.reduce_mean(weights * tf.square(image - wanted))


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Return the mean squared step between neighbours of an image [height, width, 3]. 0 for a flat picture."""
    down = tf.square(image[1:] - image[:-1])
    right = tf.square(image[:, 1:] - image[:, :-1])
    return tf.reduce_mean(down) + tf.reduce_mean(right)


STYLE_LOSSES = {
    "gram": StyleLoss(gram_statistics, gram_cost),
    "covariance": StyleLoss(covariance_statistics, covariance_cost, covariance_target),
    "moments": StyleLoss(moments_statistics, moments_cost),
}
