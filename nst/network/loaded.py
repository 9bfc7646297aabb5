"""The network that the settings ask for, loaded once and kept for the next picture of the process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nst.network.device import device, network_precision
from nst.settings import Settings

if TYPE_CHECKING:
    from nst.network.vgg19 import Network


def forget_network() -> None:
    """Drop the network that is kept, so that the next picture loads one anew."""
    _build.cache_clear()


def network_of(settings: Settings) -> tuple[Network, dict[str, Any]]:
    """Return the network that the settings ask for, and the facts of a run's record: precision, weights, device."""
    return _build(settings.weights, settings.network_layers, settings.pooling, network_precision(settings.precision))


@lru_cache(maxsize=1)  # A single network: TensorFlow never frees a network whose gradient was taken.
def _build(source: str | None, layers: frozenset[str], pooling: str, precision: str) -> tuple[Network, dict[str, Any]]:
    """Load the weights and build the network."""
    from nst.network.vgg19 import build_network
    from nst.network.weights import load_weights, weights_sha256

    weights = load_weights(source)
    network = build_network(weights, layers, pooling=pooling, precision=precision)
    return network, {"precision": precision, "weights_sha256": weights_sha256(weights), "device": device().name}
