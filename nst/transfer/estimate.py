"""About how long a run takes, from one step that is measured on a small picture."""

import math
import time
from collections.abc import Sequence

import tensorflow as tf

from nst.layers import SMALLEST_SIDE_PX
from nst.network.device import device
from nst.network.vgg19 import Network
from nst.pictures.resizing import resize, size_with_long_side
from nst.transfer.inputs import Inputs
from nst.transfer.matching import make_match
from nst.transfer.objective import make_evaluate
from nst.transfer.photo_maps import make_photo_maps
from nst.transfer.scales import Scale
from nst.transfer.tiles import UNTILED_PX, fits
from nst.transfer.view import make_view

PROBE_PX = 128  # The long side of the picture whose step is measured.
GPU_PROBE_PX = 512  # The same on a GPU, where a step on a smaller picture takes nearly as long.
TIME_IN_TILES = 1.6  # The time of a step in tiles, as a multiple of its time in one piece.


def estimated_seconds(network: Network, inputs: Inputs, scales: Sequence[Scale], tile_px: int) -> float:
    """Return about how many seconds all steps will take, at most settings.max_time.

    tile_px  the side of tiles, in which larger pictures are computed; see fits
    """
    settings = inputs.settings
    size, most_px = (scales[-1].size, GPU_PROBE_PX) if device().is_gpu else (scales[0].size, PROBE_PX)
    if max(size) > most_px:
        size = size_with_long_side(size, most_px)
    small = (max(SMALLEST_SIDE_PX, size[0]), max(SMALLEST_SIDE_PX, size[1]))
    probe = Scale(small, (small,) * len(inputs.styles), 1)
    match = make_match(network, inputs, probe, None, tile_px=UNTILED_PX)
    view = make_view(network, inputs, probe, make_photo_maps(network, resize(inputs.content, small), settings), match)
    evaluate = make_evaluate(network, view, settings)
    picture = tf.constant(resize(inputs.content, small))
    evaluate(picture)  # makes the graph
    began = time.monotonic()
    evaluate(picture)[1].numpy()
    seconds_per_pixel = (time.monotonic() - began) / math.prod(small)
    work = sum(scale.work * (1 if fits(scale.size, tile_px) else TIME_IN_TILES) for scale in scales)
    expected = seconds_per_pixel * work
    return min(expected, settings.max_time or expected)
