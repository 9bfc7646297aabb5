"""The network that the settings ask for, loaded once and kept for the next picture of the process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nst.network.device import device, network_precision
from nst.settings import Settings

if TYPE_CHECKING:
    from nst.network.vgg19 import Network
    from nst.network.weights import Weights


def forget_network() -> None:
    """Drop the network that is kept, so that the next picture loads one anew."""
    _build.cache_clear()
    _read.cache_clear()


@contextmanager
def reading_ahead(settings: Settings) -> Iterator[None]:
    """Read the weights in a thread while the block runs, unless a network is kept or the weights are Keras' own."""
    with ThreadPoolExecutor(1) as beside:
        if not _build.cache_info().currsize and settings.weights != "imagenet":
            beside.submit(_read, settings.weights)
        yield


def network_of(settings: Settings) -> tuple[Network, dict[str, Any]]:
    """Return the network that the settings ask for, and the facts of a run's record: precision, weights, device."""
    return _build(settings.weights, settings.network_layers, settings.pooling, network_precision(settings.precision))


@lru_cache(maxsize=1)  # A single network: TensorFlow never frees a network whose gradient was taken.
def _build(source: str | None, layers: frozenset[str], pooling: str, precision: str) -> tuple[Network, dict[str, Any]]:
    """Load the weights and build the network."""
    from nst.network.vgg19 import build_network

    weights, digest = _read(source)
    _read.cache_clear()
    network = build_network(weights, layers, pooling=pooling, precision=precision)
    return network, {"precision": precision, "weights_sha256": digest, "device": device().name}


@lru_cache(maxsize=1)  # Kept from reading_ahead until the network is built.
def _read(source: str | None) -> tuple[Weights, str]:
    """Return the weights and their SHA-256. Raises UserError."""
    from nst.network.weights import load_weights, weights_sha256

    weights = load_weights(source)
    return weights, weights_sha256(weights)
