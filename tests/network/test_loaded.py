"""The network that settings ask for is loaded once, and another one only for other settings."""

import pytest
import tensorflow as tf

from nst.errors import UserError
from nst.network import vgg19
from nst.network.loaded import forget_network, network_of, reading_ahead
from nst.network.vgg19 import build_network
from nst.network.weights import weights_sha256
from nst.preset_files import make_settings

FLOAT32 = {"precision": "float32"}


def test_a_network_is_kept_for_settings_that_ask_for_the_same(tiny, tiny_weights, monkeypatch):
    monkeypatch.setattr(vgg19, "build_network", build_network)  # The real one, which keeps nothing.
    network, facts = network_of(make_settings(overrides=FLOAT32))
    assert facts == {"precision": "float32", "weights_sha256": weights_sha256(tiny_weights), "device": "processor"}
    assert network_of(make_settings(overrides={**FLOAT32, "steps": 1, "style_weight": 2}))[0] is network
    assert tiny == [None]
    forget_network()
    assert network_of(make_settings(overrides=FLOAT32))[0] is not network
    assert tiny == [None, None]


def test_other_settings_of_the_network_load_another(tiny, content):
    few = {"style_layers": ["conv1_1"], "match_weight": 0, "compose": 0, "subject_weight": 0}
    for changes in ({}, {"weights": "mine.npz"}, {"pooling": "avg"}, few):
        network, _ = network_of(make_settings(overrides={**FLOAT32, **changes}))
    assert tiny == [None, "mine.npz", None, None]
    assert set(network(tf.constant(content))) == {"conv1_1", "conv4_2"}


def test_weights_that_were_read_ahead_are_not_read_again(tiny):
    settings = make_settings(overrides=FLOAT32)
    with reading_ahead(settings):
        pass
    assert tiny == [None]
    network_of(settings)
    with reading_ahead(settings):  # The network is kept.
        network_of(settings)
    assert tiny == [None]


def test_what_is_wrong_with_weights_read_ahead_is_told_when_they_are_needed(tmp_path):
    settings = make_settings(overrides={**FLOAT32, "weights": str(tmp_path / "none.npz")})
    with reading_ahead(settings):
        pass
    with pytest.raises(UserError, match=r"none\.npz: no such file"):
        network_of(settings)
