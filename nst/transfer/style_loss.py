"""What of a layer's activations is compared as style. TensorFlow need not be imported to name or to make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tensorflow as tf


def _itself(statistics: tf.Tensor) -> tf.Tensor:
    return statistics


class StyleLoss(NamedTuple):
    """The statistics of a layer's activations, and the cost of their difference from a style's.

    statistics  activations [positions, channels] and the weights of positions, [positions, 1] of sum 1, or None for
                equal ones -> a matrix of any size
    cost        our statistics, the target -> a scalar
    target      the style's statistics -> the target of the cost

    Statistics are means over the positions. So those of a blend of styles are the mean of the styles' statistics.
    """

    statistics: Callable[..., tf.Tensor]
    cost: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    target: Callable[[tf.Tensor], tf.Tensor] = _itself
