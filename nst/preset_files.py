"""The presets, which are files in presets/, and settings made from a preset and a user's words."""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nst.errors import UserError, suggestion
from nst.options import GONE, field_name, json_value, parse_setting
from nst.settings import Settings
from nst.system.atomic_files import read_text, read_toml

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


def make_settings(preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the preset's Settings with `overrides`: field name -> value, or the words that a user wrote for it.

    Raises UserError for an unknown preset or name, and for a value that cannot be read or is outside its limits.
    """
    if preset not in presets():
        raise UserError(f"preset {preset}: there is none{suggestion(preset, presets())} ({', '.join(presets())})")
    known = {item.name: item for item in fields(Settings)}
    values = {}
    for name, value in {**presets()[preset][1], **(overrides or {})}.items():
        if name not in known:
            raise UserError(f"setting {name}: {GONE.get(name) or f'there is none{suggestion(name, known)}'}")
        values[name] = parse_setting(known[name], value)
    return replace(Settings(), **values)


def describe(settings: Settings) -> dict[str, Any]:
    """Return field name -> value as JSON holds it. `make_settings` reads the values back."""
    return {item.name: json_value(item, getattr(settings, item.name)) for item in fields(settings)}
