"""The cost of a picture at one scale: evaluate(image) -> costs by name and gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import tensorflow as tf

from nst.network.vgg19 import Network
from nst.settings import Settings
from nst.transfer.cost import cost_in_one_piece
from nst.transfer.losses import Costs, color_structure_cost, steadiness_cost, total_variation
from nst.transfer.targets import ColorTarget, SteadyTarget, View
from nst.transfer.tiled_cost import cost_in_tiles
from nst.transfer.tiles import UNTILED_PX, fits

# image -> costs by name, d(total)/d(image).
Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]


def make_evaluate(network: Network, view: View, settings: Settings, *, tile_px: int = UNTILED_PX) -> Evaluate:
    """Return the cost of pictures of a view's size: that of activations, and those of the pixels themselves.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """

    def evaluate(image: tf.Tensor) -> tuple[Costs, tf.Tensor]:
        if fits(view.size, tile_px):
            costs, gradient = cost_in_one_piece(network, image, view)
        else:
            costs, gradient = cost_in_tiles(network, image, view, tile_px)
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
