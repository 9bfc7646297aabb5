"""The presets, which are files in presets/ and in the user's own folder, and settings made from a preset and words."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nst.errors import UserError, suggestion
from nst.options import GONE, field_name, json_value, parse_setting
from nst.settings import Settings
from nst.system.atomic_files import read_text, read_toml
from nst.values import FIELDS, read_config

PRESETS = Path(__file__).resolve().parent / "presets"
DEFAULT_PRESET = "default"


@cache
def presets() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return name -> (purpose, values by field name) of each file in presets/, the default first.

    A preset is a file for --config. Its first line is a comment with the purpose.
    """
    paths = sorted(PRESETS.glob("*.toml"), key=lambda path: (path.stem != DEFAULT_PRESET, path.stem))
    return {
        path.stem: (
            read_text(path).splitlines()[0].removeprefix("# "),
            {field_name(key): value for key, value in read_toml(path).items()},
        )
        for path in paths
    }


def own_presets() -> dict[str, Path]:
    """Return name -> file of the user's own presets. A name of a preset of the program is not among them."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA") or os.path.expanduser("~/.config")  # noqa: PTH111  Never raises.
    paths = sorted(Path(home, "neural_art", "presets").glob("*.toml"))
    return {path.stem: path for path in paths if path.stem not in presets()}


def preset_values(preset: str) -> dict[str, Any]:
    """Return the values of a preset: of the program, of the user, or in a file that is named. Raises UserError."""
    if preset in presets():
        return presets()[preset][1]
    own = own_presets()
    path = own.get(preset, Path(preset))
    if preset not in own and not (path.suffix == ".toml" or path.name != preset):
        known = [*presets(), *own]
        words = f"there is none{suggestion(preset, known)} ({', '.join(known)}, or a .toml file)"
        raise UserError(f"preset {preset}: {words}")
    values = read_config(path)
    other = next((name for name in values if name not in FIELDS), None)
    if other:
        raise UserError(f"{path}: {other}: is no setting of a picture; a preset has settings alone")
    return values


def make_settings(preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the preset's Settings with `overrides`: field name -> value, or the words that a user wrote for it.

    Raises UserError for an unknown preset or name, and for a value that cannot be read or is outside its limits.
    """
    values = {}
    for name, value in {**preset_values(preset), **(overrides or {})}.items():
        if name not in FIELDS:
            raise UserError(f"setting {name}: {GONE.get(name) or f'there is none{suggestion(name, FIELDS)}'}")
        values[name] = parse_setting(FIELDS[name], value)
    return replace(Settings(), **values)


def describe(settings: Settings) -> dict[str, Any]:
    """Return field name -> value as JSON holds it. `make_settings` reads the values back."""
    return {item.name: json_value(item, getattr(settings, item.name)) for item in fields(settings)}
