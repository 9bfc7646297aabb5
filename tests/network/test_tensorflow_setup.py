"""TensorFlow starts in silence, and computes in a type that the processor has."""

import os

import pytest

from nst.network import tensorflow_setup
from nst.network.tensorflow_setup import network_precision, processor_flags, start_tensorflow


def test_tensorflow_starts_in_silence_with_onednn(monkeypatch, capfd):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    start_tensorflow(threads=0, verbose=False)
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_a_type_that_is_asked_for_is_taken(wanted):
    assert network_precision(wanted) == wanted


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"fpu", "avx512_bf16"}, "bfloat16"), ({"amx_bf16"}, "bfloat16"), ({"avx2"}, "float32"), (set(), "float32")],
)
def test_auto_is_bfloat16_where_the_processor_computes_in_it(monkeypatch, flags, expected):
    monkeypatch.setattr(tensorflow_setup, "processor_flags", lambda: flags)
    assert network_precision("auto") == expected


def test_processor_flags_are_words():
    assert all(flag.strip() == flag != "" for flag in processor_flags())
