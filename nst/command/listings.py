"""Settings, presets and layers as text, for a user who asks without making a picture."""

from __future__ import annotations

from nst.errors import UserError
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, keras_name
from nst.options import flag, option_of
from nst.preset_files import describe, make_settings, own_presets, presets
from nst.run.input_files import samples
from nst.settings import Settings
from nst.values import FIELDS, toml_value


def config_text(settings: Settings) -> str:
    """Return all settings as TOML for `read_config`, grouped as in --help, each below its help."""
    lines: list[str] = []
    group = None
    for name, value in describe(settings).items():
        option = option_of(FIELDS[name])
        if option.group != group:
            lines += [f"#### {option.group}", ""]
            group = option.group
        others = "".join(f" or {choice}" for choice in option.choices if choice != value)
        line = f"{_key(name)} = {toml_value(value)}" + (f"  #{others}" if others else "")
        lines += [f"# {option.help}", line if value is not None else f'# {_key(name)} = "{option.metavar}"', ""]
    return "\n".join(lines[:-1])


def presets_text() -> str:
    """Return each preset with its purpose and its changes, each with the default in brackets."""
    default = describe(Settings())
    purposes = {preset: purpose for preset, (purpose, _) in presets().items()}
    purposes |= {preset: str(path) for preset, path in own_presets().items()}
    lines = []
    for preset, purpose in purposes.items():
        lines.append(f"{preset}: {purpose}")
        try:
            settings = describe(make_settings(preset))
        except UserError as error:  # Of the user's own: the others are still worth a list.
            lines.append(f"    {error}")
            continue
        changed = {name: value for name, value in settings.items() if value != default[name]}
        lines += [
            f"    {_key(name)} = {toml_value(value)}  [{toml_value(default[name])}]" for name, value in changed.items()
        ]
    return "\n".join(lines)


def samples_text() -> str:
    """Return the names of the sample pictures, each in a line."""
    return "\n".join(samples())


def layers_text() -> str:
    """Return a line for each layer of VGG19: its three spellings, its channels, and its weight among the defaults."""
    defaults = {"style": dict(Settings().style_layers), "content": dict(Settings().content_layers)}
    lines = [f"{'layer':9}{'or':9}{'or':14}{'channels':10}default"]
    for layer in LAYERS:
        uses = ", ".join(f"{use} {weights[layer]:g}" for use, weights in defaults.items() if layer in weights)
        channels = CHANNELS_PER_BLOCK[block_of(layer) - 1]
        spellings = f"{layer:9}{layer.replace('conv', 'relu'):9}{keras_name(layer):14}"
        lines.append(f"{spellings}{channels:8}  {uses}".rstrip())
    return "\n".join(lines)


def _key(name: str) -> str:
    return flag(name).removeprefix("--")
