"""Settings, presets and layers as the command prints them."""

import pytest

from nst.command.listings import config_text, layers_text, presets_text
from nst.layers import LAYERS, layer_name
from nst.preset_files import describe, presets
from nst.settings import Settings

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_printed_settings_have_every_key_with_its_help_in_the_order_of_help():
    text = config_text(Settings())
    lines = text.splitlines()
    for name in describe(Settings()):
        key = name.replace("_", "-")
        number = next(number for number, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = "))
        help = Settings.__dataclass_fields__[name].metadata["option"].help
        assert lines[number - 1] == f"# {help}"
    groups = [line.removeprefix("#### ") for line in lines if line.startswith("####")]
    assert groups == list(dict.fromkeys(f.metadata["option"].group for f in Settings.__dataclass_fields__.values()))


def test_each_preset_is_listed_with_what_it_changes():
    text = presets_text()
    for name, (purpose, _) in presets().items():
        assert f"{name}: {purpose}\n" in text
    assert text.startswith("default: a finished picture\nbest:")  # the default changes nothing
    assert '    decay = "none"  ["cosine"]' in text


def test_each_layer_is_listed_in_three_spellings_with_its_channels():
    _, *lines = layers_text().splitlines()
    assert len(lines) == len(LAYERS)
    for layer, line in zip(LAYERS, lines, strict=True):
        words = line.split()
        assert [layer_name(word) for word in words[:3]] == [layer] * 3
        assert int(words[3]) in (64, 128, 256, 512)
        assert ("style" in line) == (layer in dict(Settings().style_layers))
        assert ("content" in line) == (layer in dict(Settings().content_layers))
