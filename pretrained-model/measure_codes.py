#!/usr/bin/env python3
"""Estimate what the 8-bit codes cost: python pretrained-model/measure_codes.py

The error is estimated from the codebooks, without the full-precision weights: a weight lies anywhere between the
midpoints to the neighbouring values of its codebook. Moving every weight at random within that range adds an error of
the kind and size that coding made, and the network's answer to it can be measured.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from nst.network.vgg19 import build_network  # noqa: E402
from nst.network.weights import EMBEDDED, Weights, load_weights  # noqa: E402
from nst.pictures.picture_files import read_image  # noqa: E402
from nst.pictures.resizing import resize  # noqa: E402
from nst.settings import Settings  # noqa: E402
from nst.transfer.losses import gram_statistics  # noqa: E402


def moved_within_codes(weights: Weights, random: np.random.Generator) -> Weights:
    """Return the weights, each moved at random as far as its code does not change."""
    moved = {}
    with np.load(EMBEDDED) as stored:
        for layer, (kernel, bias) in weights.items():
            values = np.unique(stored[f"{layer}/codebook"])
            middles = (values[1:] + values[:-1]) / 2
            low, high = np.concatenate([values[:1], middles]), np.concatenate([middles, values[-1:]])
            place = np.searchsorted(values, kernel)
            moved[layer] = random.uniform(low[place], high[place]).astype(np.float32), bias
    return moved


def relative(found: tf.Tensor, wanted: tf.Tensor) -> float:
    """Return the norm of the difference by the norm of what is wanted."""
    return float(tf.norm(found - wanted) / tf.norm(wanted))


def main() -> None:
    """Print, for each style layer, the error of the weights, of the activations and of the Gram matrix."""
    layers = [layer for layer, _ in Settings().style_layers] + ["conv4_2"]
    weights = load_weights()
    moved = moved_within_codes(weights, np.random.default_rng(0))
    image = tf.constant(resize(read_image(PROJECT / "images" / "starry_night.jpg"), (401, 512)))
    wanted, found = (build_network(these, layers)(image) for these in (weights, moved))
    print("layer     weights  activations     Gram   (relative error)")
    for layer in sorted(layers):
        errors = [
            relative(moved[layer][0], weights[layer][0]),
            relative(found[layer], wanted[layer]),
            relative(gram_statistics(found[layer]), gram_statistics(wanted[layer])),
        ]
        print(f"{layer}  {errors[0]:9.2%}  {errors[1]:11.2%}  {errors[2]:7.2%}")


if __name__ == "__main__":
    main()
