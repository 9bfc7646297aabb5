"""The cost of a picture at one scale: evaluate(image) -> costs by name and gradient.

The cost is the mean over the views of the picture: the picture itself and, where the settings ask for them, smaller
copies of it. A copy sees what is too large for the network at full size, and keeps what the coarser scales have built.
"""

import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

from nst.network.vgg19 import Network
from nst.pictures.resizing import resize_matrix
from nst.settings import Settings
from nst.transfer.cost import cost_in_one_piece
from nst.transfer.losses import Costs, total_variation
from nst.transfer.targets import Targets, View
from nst.transfer.tiled_cost import cost_in_tiles
from nst.transfer.tiles import UNTILED_PX, fits

# image -> costs by name, d(total)/d(image).
Evaluate = Callable[[tf.Tensor], tuple[Costs, tf.Tensor]]


def make_evaluate(
    network: Network, views: Sequence[View], settings: Settings, *, tile_px: int = UNTILED_PX
) -> Evaluate:
    """Return the mean cost over `views`, plus total variation, for pictures of the first view's size.

    views    largest first
    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    shrink = [
        tuple(tf.constant(resize_matrix(old, new)) for old, new in zip(large.size, small.size, strict=True))
        for large, small in itertools.pairwise(views)
    ]

    def evaluate(image: tf.Tensor) -> tuple[Costs, tf.Tensor]:
        copies = [image]
        for rows, columns in shrink:
            copies.append(tf.einsum("ah,hwc,bw->abc", rows, copies[-1], columns))
        found = [
            picture_cost(network, settings.style_loss, copy, view.targets, tile_px)
            for view, copy in zip(views, copies, strict=True)
        ]
        gradient = found[-1][1]
        for (_, finer), (rows, columns) in zip(found[-2::-1], shrink[::-1], strict=True):
            gradient = finer + tf.einsum("ah,abc,bw->hwc", rows, gradient, columns)
        costs = {name: tf.add_n([part[name] for part, _ in found]) / len(views) for name in found[0][0]}
        return _with_total_variation(image, costs, gradient / len(views), settings.tv_weight)

    return evaluate


def picture_cost(
    network: Network, style_loss: str, image: tf.Tensor, targets: Targets, tile_px: int
) -> tuple[Costs, tf.Tensor]:
    """Return the costs of a picture by name and the gradient of their total, in tiles where the picture is larger."""
    if fits(image.shape[:2], tile_px):
        return cost_in_one_piece(network, style_loss, image, targets)
    return cost_in_tiles(network, style_loss, image, targets, tile_px)


def _with_total_variation(
    image: tf.Tensor, costs: Costs, gradient: tf.Tensor, weight: float
) -> tuple[Costs, tf.Tensor]:
    """Return costs and gradient with total variation in both, or as they are where its weight is 0."""
    if not weight:
        return costs, gradient
    with tf.GradientTape() as tape:
        tape.watch(image)
        variation = total_variation(image)
        weighted = weight * variation
    return (
        {"total": costs["total"] + weighted, "content": costs["content"], "style": costs["style"], "tv": variation},
        gradient + tape.gradient(weighted, image),
    )
