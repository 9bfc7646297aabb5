#!/usr/bin/env python3
"""Time one evaluation of the cost with its gradient, and compare its speed with the machine's matrix product.

    python benchmarks/evaluation.py [--sizes 512x384 ...] [--precisions float32 ...] [--repeats 7]

GFLOP/s counts the operations of direct convolutions and Gram products, forward and backward. Winograd's filtering needs
fewer operations, so its rate may be above the rate of the matrix product. Each repeat times every case once, in turn.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of  # noqa: E402
from nst.network.device import network_precision  # noqa: E402
from nst.network.tensorflow_setup import graphs_as_written, start_tensorflow  # noqa: E402
from nst.pictures.picture_files import read_image  # noqa: E402
from nst.pictures.resizing import Size  # noqa: E402
from nst.preset_files import make_settings  # noqa: E402
from nst.settings import Settings  # noqa: E402

CONTENT, STYLE = (PROJECT / "images" / name for name in ("castle.jpg", "starry_night.jpg"))
MATRIX = 2048  # The number of rows, and of columns, of each matrix in the product.


def flop(size: Size, settings: Settings) -> float:
    """Return the floating-point operations of direct convolutions and Gram products, forward and backward."""
    total, channels_in = 0.0, 3
    grams = {layer for layer, _ in settings.style_layers}
    deepest = max(LAYERS.index(layer) for layer, _ in settings.style_layers + settings.content_layers)
    for layer in LAYERS[: deepest + 1]:
        block = block_of(layer)
        positions = (size[0] >> (block - 1)) * (size[1] >> (block - 1))
        channels_out = CHANNELS_PER_BLOCK[block - 1]
        total += 2 * 2 * 9 * positions * channels_in * channels_out
        total += 2 * 2 * positions * channels_out**2 if layer in grams else 0
        channels_in = channels_out
    return total


def evaluations(sizes: list[Size], precision: str) -> dict[tuple[Size, str], Callable[[], object]]:
    """Return functions that evaluate the default cost once, by size and precision, with one network for all."""
    import tensorflow as tf

    from nst.network.vgg19 import build_network
    from nst.network.weights import load_weights
    from nst.transfer.inputs import Inputs
    from nst.transfer.matching import make_match
    from nst.transfer.objective import make_evaluate
    from nst.transfer.photo_maps import make_photo_maps
    from nst.transfer.scales import Scale
    from nst.transfer.tiles import UNTILED_PX
    from nst.transfer.view import make_view

    settings = make_settings()
    features = build_network(load_weights(), settings.network_layers, pooling=settings.pooling, precision=precision)
    calls: dict[tuple[Size, str], Callable[[], object]] = {}
    inputs = Inputs(read_image(CONTENT), (read_image(STYLE),), settings)
    for size in sizes:
        scale = Scale(size, (size,), 1)
        match = make_match(features, inputs, scale, None, tile_px=UNTILED_PX)
        maps = make_photo_maps(features, inputs.content, settings)
        evaluate = make_evaluate(features, make_view(features, inputs, scale, maps, match), settings)
        image = tf.constant(np.random.default_rng(0).uniform(size=(*size, 3)), tf.float32)
        calls[size, precision] = lambda image=image, evaluate=evaluate: evaluate(image)[1].numpy()
    return calls


def matrix_product(precision: str) -> Callable[[], object]:
    """Return a function that multiplies two square matrices."""
    import tensorflow as tf

    a = tf.cast(tf.random.stateless_normal([MATRIX, MATRIX], [1, 2]), precision)
    return lambda: tf.reduce_max(tf.matmul(a, a)).numpy()


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@graphs_as_written()
def main() -> None:
    """Print a row for each size and precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["256x192", "512x384"], metavar="WIDTHxHEIGHT")
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    start_tensorflow(threads=0, verbose=False)
    precisions = {network_precision(word) for word in arguments.precisions}
    sizes: list[Size] = [(int(word.split("x")[1]), int(word.split("x")[0])) for word in arguments.sizes]
    products = {precision: matrix_product(precision) for precision in precisions}
    cases = {name: call for precision in precisions for name, call in evaluations(sizes, precision).items()}
    work = {**products, **cases}
    for call in work.values():
        call()
    times = {name: [] for name in work}
    for _ in range(arguments.repeats):
        for name, call in work.items():
            times[name].append(seconds(call))
    print("width x height  precision  s/evaluation  GFLOP/s  of the matrix product's")
    for size, precision in cases:
        median = np.median(times[size, precision])
        rate = flop(size, make_settings()) / median / 1e9
        peak = 2 * MATRIX**3 / np.median(times[precision]) / 1e9
        share = f"{rate / peak:.2f} of {peak:.0f}"
        print(f"{size[1]:5d} x {size[0]:<6d}  {precision:9s}  {median:12.3f}  {rate:7.0f}  {share}")


if __name__ == "__main__":
    main()
