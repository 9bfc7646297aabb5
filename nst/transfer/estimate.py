"""About how long a run takes, from one step that is measured on a small picture."""

import math
import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nst.layers import SMALLEST_SIDE_PX
from nst.network.device import device
from nst.network.vgg19 import Network
from nst.pictures.resizing import Size, resize, size_with_long_side
from nst.settings import Settings
from nst.transfer.inputs import Inputs
from nst.transfer.matching import make_match
from nst.transfer.objective import Evaluate, make_evaluate
from nst.transfer.photo_maps import make_photo_maps
from nst.transfer.scales import Scale, painted_scale
from nst.transfer.tiles import UNTILED_PX, fits
from nst.transfer.view import make_view

PROBE_PX = 128  # The long side of the picture whose step is measured.
GPU_PROBE_PX = 512  # The same on a GPU, where a step on a smaller picture takes nearly as long.
TIME_IN_TILES = 1.6  # The time of a step in tiles, as a multiple of its time in one piece.


def estimated_seconds(network: Network, inputs: Inputs, scales: Sequence[Scale], tile_px: int) -> float:
    """Return about how many seconds all steps will take, at most settings.max_time.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    settings, size = inputs.settings, probe_size(scales)
    probe = Scale(size, (size,) * len(inputs.styles), 1)
    match = make_match(network, inputs, probe, None, tile_px=UNTILED_PX)
    view = make_view(network, inputs, probe, make_photo_maps(network, resize(inputs.content, size), settings), match)
    evaluate = make_evaluate(network, view, settings)
    return seconds_by_step(evaluate, resize(inputs.content, size), scales, tile_px, settings)


def probe_size(scales: Sequence[Scale]) -> Size:
    """Return the size of the picture whose step is measured: that of the first scale, if that is small."""
    size, most_px = (painted_scale(scales).size, GPU_PROBE_PX) if device().is_gpu else (scales[0].size, PROBE_PX)
    if max(size) > most_px:
        size = size_with_long_side(size, most_px)
    return max(SMALLEST_SIDE_PX, size[0]), max(SMALLEST_SIDE_PX, size[1])


def seconds_by_step(
    evaluate: Evaluate, picture: np.ndarray, scales: Sequence[Scale], tile_px: int, settings: Settings
) -> float:
    """Return estimated_seconds by a measured step.

    evaluate, picture  the cost at probe_size, and a picture of that size
    """
    image = tf.constant(picture)
    evaluate(image)  # makes the graph
    began = time.monotonic()
    np.asarray(evaluate(image)[1])
    seconds_per_pixel = (time.monotonic() - began) / (
        math.prod(picture.shape[:2]) * _time_in_tiles(picture.shape, tile_px)
    )
    expected = seconds_per_pixel * sum(scale.work * _time_in_tiles(scale.size, tile_px) for scale in scales)
    return min(expected, settings.max_time or expected)


def _time_in_tiles(shape: Sequence[int], tile_px: int) -> float:
    """Return the time of a step on a picture, [height, width] or more, as a multiple of its time in one piece."""
    return 1.0 if fits((shape[0], shape[1]), tile_px) else TIME_IN_TILES
