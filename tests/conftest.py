"""Tiny pictures and a tiny network, for all tests in which the real weights do not matter."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import pytest

from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def content() -> np.ndarray:
    """A smooth picture, 40x56."""
    rows, columns = np.mgrid[0:40, 0:56] / 56.0
    return np.stack([rows, columns, 0.5 + 0.3 * np.sin(9 * rows)], axis=-1).astype(np.float32)


@pytest.fixture(scope="session")
def style() -> np.ndarray:
    """A busy picture of another size and shape, 48x36."""
    return np.random.default_rng(7).uniform(0, 1, (48, 36, 3)).astype(np.float32)


@pytest.fixture(scope="session")
def tiny_weights() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All layers of VGG19 with a sixteenth of its channels and random kernels that keep the scale of activations."""
    random = np.random.default_rng(3)
    weights, channels_in = {}, 3
    for layer in LAYERS:
        channels_out = CHANNELS_PER_BLOCK[block_of(layer) - 1] // 16
        kernel = random.normal(0, np.sqrt(2 / (9 * channels_in)), (3, 3, channels_in, channels_out))
        weights[layer] = kernel.astype(np.float32), random.normal(0, 0.1, channels_out).astype(np.float32)
        channels_in = channels_out
    return weights
