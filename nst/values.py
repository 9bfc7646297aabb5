"""TODO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from nst.errors import UserError, suggestion
from nst.settings import Settings, field_name, flag, option_of, read_setting
from nst.system.atomic_files import read_toml

FIELDS = {item.name: item for item in fields(Settings)}
CALL_KEYS: dict[str, type] = {
    "content": str,
    "style": list,
    "output": str,
    "preset": str,
    "overwrite": bool,
    "plot": bool,
    "report": bool,
    "watch": bool,
    "watch_port": int,
    "watch_host": str,
    "verbose": bool,
    "each_style": bool,
}


def read_config(path: Path) -> dict[str, Any]:
    """Return field name -> value of a TOML file of flags by name. Raises UserError that names file and key."""
    table = read_toml(path)
    refuse_control_characters(path, table)
    return read_values(path, table)


def read_values(where: object, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return field name -> value of flags by name, out of the file or the part of one that `where` names.

    Raises UserError that names it and the key.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = known_name(where, key)
        if name in values:
            raise UserError(f"{where}: {key}: given twice, with - and with _; give it once")
        values[name] = read_value(where, key, value)
    return values


def known_name(where: object, key: str) -> str:
    """Return the field or the option of a call that a key in a file names. Raises UserError where there is none."""
    name = field_name(key)
    if name not in FIELDS and name not in CALL_KEYS:
        known = [other.replace("_", "-") for other in (*FIELDS, *CALL_KEYS)]
        raise UserError(f"{where}: {key}: there is no such key{suggestion(name.replace('_', '-'), known)}")
    return name


def toml_value(value: Any) -> str:
    """Return a bool, number, text or list of them as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value(where: object, key: str, value: Any) -> Any:
    """Return a setting or an option of the call as read from a file, in which a number is no text."""
    name = field_name(key)
    if name in CALL_KEYS:
        if CALL_KEYS[name] is list:
            value = [value] if isinstance(value, str) else value
            if not _is_list_of_text(value):
                raise UserError(f"{where}: {key} = {toml_value(value)}: must be text in quotes, or a list of it")
            return tuple(value)
        if type(value) is not CALL_KEYS[name]:
            wanted = {bool: "true or false", int: "a whole number"}.get(CALL_KEYS[name], "text in quotes")
            raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
        return value
    item: Field[Any] = FIELDS[name]
    kind = option_of(item).kind
    if kind == "layers" and not isinstance(value, dict) and not _is_list_of_text(value):
        raise UserError(f'{where}: {key} = {toml_value(value)}: must be a list such as ["conv1_1:0.5", "conv4_1"]')
    if kind == "paths" and not _is_list_of_text(value):
        raise UserError(f'{where}: {key} = {toml_value(value)}: must be a list such as ["left.png", "right.png"]')
    if kind == "numbers" and not (isinstance(value, list) and not any(isinstance(part, str) for part in value)):
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be a list such as [3, 1]")
    others = option_of(item).words
    if isinstance(value, str) and kind in ("int", "float", "px") and value not in others:
        wanted = " or ".join(["a number without quotes", *map(toml_value, others)])
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
    try:
        return read_setting(item, value)
    except UserError as error:
        words = str(error)
        raise UserError(f"{where}: {words[2:] if words.startswith(flag(name)) else f'{key}: {words}'}") from error


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def refuse_control_characters(path: Path, content: Any) -> None:
    """Raise UserError for a text, out of a file, that no file name and no layer has: with a line break or NUL."""
    for text in _strings(content):
        if any(ord(character) < 32 for character in text):
            raise UserError(f"{path}: {json.dumps(text)}: has a control character; take it out")


def _strings(content: Any) -> Iterator[str]:
    """Yield every key and text in what JSON or TOML holds."""
    pending = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            pending += part
            pending += part.values() if isinstance(part, dict) else []
