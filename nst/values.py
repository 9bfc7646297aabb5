"""Settings and options of a call as values in a file: TOML, JSON lines, or the JSON of a record.

A value in a file has its own type: a number is no text. Each error names the file, the place in it, and the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from nst.call_options import OPTIONS, names_with
from nst.errors import UserError, suggestion
from nst.options import GONE, field_name, flag, option_of, read_setting
from nst.settings import Settings
from nst.system.atomic_files import read_toml

FIELDS = {item.name: item for item in fields(Settings)}
TYPES = {"text": (str, "text in quotes"), "number": (int, "a whole number"), "switch": (bool, "true or false")}


def read_config(path: Path) -> dict[str, Any]:
    """Return the values in a TOML file by field name. Raises UserError that names file and key."""
    table = read_toml(path)
    refuse_control_characters(path, table)
    return read_values(path, table)


def read_values(where: object, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return by field name the values of a table whose keys are flags without dashes.

    where  names the table in errors: a file, or a place in one
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = known_name(where, key)
        if name in values:
            raise UserError(f"{where}: {key}: given twice, with - and with _; give it once")
        values[name] = read_value(where, key, value)
    return values


def known_name(where: object, key: str) -> str:
    """Return the setting or option that a key in a file names. Raises UserError where there is none."""
    name = field_name(key)
    known = [*FIELDS, *names_with("in_file")]
    if name not in known:
        hint = suggestion(flag(name)[2:], [flag(other)[2:] for other in known])
        raise UserError(f"{where}: {key}: {GONE.get(name) or f'there is no such key{hint}'}")
    return name


def toml_value(value: Any) -> str:
    """Return a bool, number, text or list of them as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value(where: object, key: str, value: Any) -> Any:
    """Return the value in a file of a setting or of an option of the call. Raises UserError."""
    name = field_name(key)
    return _read_setting(where, key, value) if name in FIELDS else _read_option(where, key, value)


def _read_option(where: object, key: str, value: Any) -> Any:
    """Return an option of the call: a text, a tuple of texts, a whole number, or true or false."""
    kind = OPTIONS[field_name(key)].kind
    if kind == "texts":
        value = [value] if isinstance(value, str) else value
        if not _is_list_of_text(value):
            raise UserError(f"{where}: {key} = {toml_value(value)}: must be text in quotes, or a list of it")
        return tuple(value)
    type_, wanted = TYPES[kind]
    if type(value) is not type_:
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
    return value


def _read_setting(where: object, key: str, value: Any) -> Any:
    item: Field[Any] = FIELDS[field_name(key)]
    kind, words = option_of(item).kind, option_of(item).words
    wanted = {
        "layers": 'a list such as ["conv1_1:0.5", "conv4_1"]',
        "paths": 'a list such as ["left.png", "right.png"]',
        "numbers": "a list such as [3, 1]",
    }.get(kind, " or ".join(["a number without quotes", *map(toml_value, words)]))
    fits = {
        "layers": isinstance(value, dict) or _is_list_of_text(value),
        "paths": _is_list_of_text(value),
        "numbers": isinstance(value, list) and not any(isinstance(part, str) for part in value),
    }.get(kind, not isinstance(value, str) or kind not in ("int", "float", "px") or value in words)
    if not fits:
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
    try:
        return read_setting(item, value)
    except UserError as error:
        text = str(error)
        raise UserError(f"{where}: {text[2:] if text.startswith(flag(item.name)) else f'{key}: {text}'}") from error


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def refuse_control_characters(path: Path, values: Any) -> None:
    """Raise UserError for a text with a line break, a NUL or the like, which no file name and no layer has."""
    for text in _strings(values):
        if any(ord(character) < 32 for character in text):
            raise UserError(f"{path}: {json.dumps(text)}: has a control character; take it out")


def _strings(values: Any) -> Iterator[str]:
    """Yield every key and every text in values out of JSON or TOML."""
    pending = [values]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            pending += part
            pending += part.values() if isinstance(part, dict) else []
