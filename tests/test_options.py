"""The value of a setting is written in words that lose nothing."""

from dataclasses import fields

import pytest

from nst.options import default_words, field_name, flag, format_value, option_of
from nst.settings import Settings

FIELDS = {item.name: item for item in fields(Settings)}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "on"),
        (False, "off"),
        (None, "–"),
        ([], "–"),
        ("", "–"),
        (0, "0"),
        (0.0, "0"),
        (2.0, "2"),
        (0.28, "0.28"),
        (1e-6, "1e-06"),
        (0.1234567890123, "0.1234567890123"),
        (600.0, "600"),
        (20000, "20000"),
        ("original", "original"),
        ([3.0, 1.5], "3 1.5"),
        (["conv1_1:0.5", "conv4_1:1"], "conv1_1:0.5 conv4_1:1"),
    ],
)
def test_values_in_words(value, words):
    assert format_value(value) == words


@pytest.mark.parametrize("value", [1 / 3, 1e12, 16777217.0, 0.999999, 5e-324])
def test_no_digit_of_a_number_is_lost(value):
    assert float(format_value(value)) == value


def test_a_default_is_in_the_words_of_its_field():
    found = {name: default_words(FIELDS[name]) for name in ("style_weights", "content_mask", "weights", "balance")}
    assert found == {"style_weights": "equal", "content_mask": "none", "weights": "embedded file", "balance": "on"}
    assert default_words(FIELDS["content_layers"]) == "conv4_2:1"
    assert format_value(None, unset="nothing") == format_value([], unset="nothing") == "nothing"


def test_flags_and_keys_name_fields():
    assert flag("style_layers") == "--style-layers"
    assert field_name("style-layers") == field_name("style_layers") == "style_layers"


def test_what_changes_no_pixel():
    assert {name for name, item in FIELDS.items() if not option_of(item).changes_pixels} == {
        "threads",
        "codec",
        "video_quality",
        "audio",
        "keep_frames",
        "max_memory",
        "tile",
        "snapshot_every",
        "checkpoint_every",
    }
    assert [name for name, item in FIELDS.items() if option_of(item).same_for_batch] == ["threads"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "on"), (False, "off"), (None, "–"), ([], "–"), (["conv1_1:1", 2], "conv1_1:1 2"), (0.25, "0.25"),
     (1.0, "1"), (512, "512"), ("cat.jpg", "cat.jpg")],
)  # fmt: skip
def test_settings_in_words(value, words):
    assert format_value(value) == words
