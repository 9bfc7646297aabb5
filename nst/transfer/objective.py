"""The cost of a picture at one scale: evaluate(image) -> costs by name and gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import tensorflow as tf

from nst.network.vgg19 import Network
from nst.settings import Settings
from nst.system.large_arrays import strips
from nst.transfer.cost import cost_in_one_piece
from nst.transfer.losses import Costs, color_structure_cost, steadiness_cost, total_variation
from nst.transfer.targets import ColorTarget, SteadyTarget, View
from nst.transfer.tiled_cost import cost_in_tiles
from nst.transfer.tiles import UNTILED_PX, fits

# image -> costs by name, d(total)/d(image). Of a picture in tiles, the gradient is an array.
Evaluate = Callable[[tf.Tensor | np.ndarray], tuple[Costs, tf.Tensor | np.ndarray]]


def make_evaluate(network: Network, view: View, settings: Settings, *, tile_px: int = UNTILED_PX) -> Evaluate:
    """Return the cost of pictures of a view's size: that of activations, and those of the pixels themselves.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """

    if not fits(view.size, tile_px):
        return partial(_evaluate_in_tiles, network, view, settings, tile_px)

    def evaluate(image: tf.Tensor) -> tuple[Costs, tf.Tensor]:
        costs, gradient = cost_in_one_piece(network, image, view)
        if view.color:
            weight = tf.constant(settings.cost_weights[3], tf.float32)
            costs, gradient = _with("color", *_color_structure()(image, view.color), weight, costs, gradient)
        if view.steady:
            steady = _steadiness()(image, view.steady)
            costs, gradient = _with("steady", *steady, tf.constant(1.0), costs, gradient)
        if settings.tv_weight:
            weight = tf.constant(settings.tv_weight, tf.float32)
            costs, gradient = _with("tv", *_total_variation()(image), weight, costs, gradient)
        return costs, gradient

    return evaluate


def _evaluate_in_tiles(
    network: Network, view: View, settings: Settings, tile_px: int, image: tf.Tensor | np.ndarray
) -> tuple[Costs, np.ndarray]:
    """Return the costs of an image by name, and the gradient of their total, tile by tile and strip by strip."""
    picture = np.asarray(image)
    costs, gradient = cost_in_tiles(network, picture, view, tile_px)
    more: list[tuple[str, float, tf.Tensor | float]] = []
    if view.color:
        weight = settings.cost_weights[3]
        more.append(("color", weight, _add_color_structure(picture, view.color, weight, gradient)))
    if view.steady:
        cost, slope = _steadiness()(tf.constant(picture), view.steady)
        gradient += slope.numpy()
        more.append(("steady", 1.0, cost))
    if settings.tv_weight:
        more.append(("tv", settings.tv_weight, _add_total_variation(picture, settings.tv_weight, gradient)))
    for name, weight, cost in more:
        costs = {**costs, "total": costs["total"] + weight * cost, name: cost}
    return costs, gradient


def _add_color_structure(image: np.ndarray, target: ColorTarget, weight: float, gradient: np.ndarray) -> tf.Tensor:
    """Return an image's color_structure_cost and add its gradient, strip by strip."""
    rows, columns = target.rows.numpy(), target.columns.numpy()
    copy = np.zeros((len(rows), len(columns), 3), np.float32)
    for strip in strips(image.shape):
        copy += np.tensordot(rows[:, strip], columns @ image[strip], 1)
    with tf.GradientTape() as tape:
        colors = tf.constant(copy.reshape(-1, 3))
        tape.watch(colors)
        cost = color_structure_cost(colors, target.distances)
    slope = weight * tape.gradient(cost, colors).numpy().reshape(copy.shape)
    for strip in strips(image.shape):
        gradient[strip] += columns.T @ np.tensordot(rows[:, strip].T, slope, 1)
    return cost


def _add_total_variation(image: np.ndarray, weight: float, gradient: np.ndarray) -> float:
    """Return an image's total_variation and add its gradient, strip by strip."""
    height, width, channels = image.shape
    total = 0.0
    for strip in strips(image.shape):
        below = slice(strip.start, min(strip.stop + 1, height))
        for part, slopes, axis, count in (
            (image[below], gradient[below], 0, (height - 1) * width),
            (image[strip], gradient[strip], 1, height * (width - 1)),
        ):
            apart, factor = np.diff(part, axis=axis), np.float32(2 * weight / (count * channels))
            total += float(np.sum(np.square(apart))) / (count * channels)
            low, high = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
            slopes[high] += factor * apart
            slopes[low] -= factor * apart
    return total


def _with(
    name: str, cost: tf.Tensor, slope: tf.Tensor, weight: tf.Tensor, costs: Costs, gradient: tf.Tensor
) -> tuple[Costs, tf.Tensor]:
    """Return costs and gradient with one more cost in both."""
    return {**costs, "total": costs["total"] + weight * cost, name: cost}, gradient + weight * slope


@cache
def _color_structure() -> Callable[[tf.Tensor, ColorTarget], tuple[tf.Tensor, tf.Tensor]]:
    """Return the graph of an image's color_structure_cost and its gradient."""
    matrix = tf.TensorSpec([None, None])

    @tf.function(input_signature=(tf.TensorSpec([None, None, 3]), ColorTarget(matrix, matrix, matrix)), autograph=False)
    def graph(image: tf.Tensor, target: ColorTarget) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            copy = tf.einsum("ah,hwc,bw->abc", target.rows, image, target.columns)
            cost = color_structure_cost(tf.reshape(copy, [-1, 3]), target.distances)
        return cost, tape.gradient(cost, image)

    return graph


@cache
def _steadiness() -> Callable[[tf.Tensor, SteadyTarget], tuple[tf.Tensor, tf.Tensor]]:
    """Return the graph of an image's steadiness_cost and its gradient."""
    image = tf.TensorSpec([None, None, 3])

    @tf.function(input_signature=(image, SteadyTarget(image, tf.TensorSpec([None, None, 1]))), autograph=False)
    def graph(image: tf.Tensor, target: SteadyTarget) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            cost = steadiness_cost(image, *target)
        return cost, tape.gradient(cost, image)

    return graph


@cache
def _total_variation() -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return the graph of an image's total_variation and its gradient."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3])], autograph=False)
    def graph(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            cost = total_variation(image)
        return cost, tape.gradient(cost, image)

    return graph
