"""The rows of a batch file. Each row holds the flags of one call by name.

A value in TOML or JSON lines is written as in a file for --config; a value in CSV, as on the command line.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst.call_options import OPTIONS
from nst.errors import UserError, suggestion
from nst.options import LISTS, flag, option_of, read_setting
from nst.run.input_files import is_there
from nst.system.atomic_files import STDIN, parse_toml, read_text
from nst.system.shell import split_words
from nst.values import FIELDS, known_name, read_values

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
TABLE = "job"
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Row:
    """A row of a batch file: its place, for messages, and its values by field name."""

    where: str
    values: dict[str, Any]


def read_rows(path: Path) -> tuple[str, list[Row]]:
    """Return a title and the rows of a batch file, at least one. The format of a pipe is told from its text.

    Raises UserError that names file and row.
    """
    readers = {".toml": _toml_rows, ".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    pipe = path.is_fifo() or str(path) == STDIN
    if not pipe and path.suffix.lower() not in readers:
        raise UserError(f"{path}: a batch file is .toml, .csv or .jsonl{suggestion(path.suffix, readers)}")
    text = read_text(path)
    rows = list(readers[_suffix_for(text) if pipe else path.suffix.lower()](path, text))
    if not rows:
        raise UserError(f"{path}: has no rows; write one per picture")
    return "batch" if pipe else path.stem, rows


def same_for_batch(name: str) -> bool:
    """Return whether a setting or an option is the same for all pictures of a batch."""
    return option_of(FIELDS[name]).same_for_batch if name in FIELDS else OPTIONS[name].same_for_batch


def read_cell(where: object, key: str, text: str) -> Any:
    """Return the value that a user wrote for a flag as on a command line; lists are words. Raises UserError."""
    name = known_name(where, key)
    kind = option_of(FIELDS[name]).kind if name in FIELDS else OPTIONS[name].kind
    if kind in ("switch", "bool"):
        if text.lower() not in TRUTHS:
            raise UserError(f"{where}: {key} {text}: must be true or false")
        return TRUTHS[text.lower()]
    if kind == "texts" or kind in LISTS:
        try:
            words = [text] if is_there(Path(text)) else split_words(text)
        except ValueError as error:
            raise UserError(f"{where}: {key} {text}: {str(error).lower()}; quote words as in a shell") from error
        return tuple(words) if kind == "texts" else _read(where, name, words)
    return _read(where, name, text) if name in FIELDS else text


def _suffix_for(text: str) -> str:
    """Return the suffix that a batch file with this text would have."""
    start = text.lstrip()
    if start.startswith("{"):
        return ".jsonl"
    return ".toml" if any(line.strip().startswith(f"[[{TABLE}]]") for line in start.splitlines()) else ".csv"


def _read(where: object, name: str, value: Any) -> Any:
    try:
        return read_setting(FIELDS[name], value)
    except UserError as error:
        raise UserError(f"{where}: {str(error).removeprefix('--')}") from error


def _toml_rows(path: Path, text: str) -> Iterator[Row]:
    table = parse_toml(path, text)
    other = next((key for key in table if key != TABLE), None)
    if other is not None:
        raise UserError(f"{path}: {other}: there is no such key; write each picture under [[{TABLE}]]")
    listed = table.get(TABLE, [])
    if not isinstance(listed, list):
        raise UserError(f"{path}: [{TABLE}]: write [[{TABLE}]], in two brackets")
    for number, values in enumerate(listed, start=1):
        yield _table_row(f"{path}: {TABLE} {number}", values)


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        where = f"{path}: line {number}"
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: is not JSON: {error}") from error
        yield _table_row(where, values)


def _table_row(where: str, values: Any) -> Row:
    if not isinstance(values, dict):
        raise UserError(f"{where}: must be flags by name")
    return _checked(where, read_values(where, {key: value for key, value in values.items() if value is not None}))


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    header: list[str] = []
    start = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(f"{path}: line {start}: is not CSV: {error}") from error
        if cells is None:
            return
        where, start = f"{path}: line {start}", reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip().lower() for cell in cells]
            _check_header(where, header)
            continue
        if len(cells) != len(header):
            raise UserError(
                f"{where}: has {len(cells)} cells for {len(header)} columns; quote cells with {delimiter!r} in them"
            )
        given = {key: cell for key, cell in zip(header, cells, strict=True) if cell.strip()}
        if delimiter == ";":
            given = {key: _with_points(cell) for key, cell in given.items()}
        yield _checked(where, {known_name(where, key): read_cell(where, key, cell) for key, cell in given.items()})


def _delimiter(text: str) -> str:
    """Return what parts the columns: a comma, or as spreadsheets of many countries write, a semicolon or a tab."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=header.count)


def _with_points(cell: str) -> str:
    """Return the text of a cell with a point in numbers such as 0,5, which go with semicolons."""
    return re.sub(r"(?<![\w.,/\\])(-?\d+),(\d+)(?![\w.,/\\])", r"\1.\2", cell)


def _check_header(where: str, header: Sequence[str]) -> None:
    names = [known_name(where, key) for key in header]
    twice = next((key for key, name in zip(header, names, strict=True) if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{where}: {twice}: is the name of two columns; name each once")


def _checked(where: str, values: dict[str, Any]) -> Row:
    """Return the row. Raises UserError for text that no file name can have, and for an option of the whole batch."""
    texts = [text for value in values.values() for text in (value if isinstance(value, tuple) else (value,))]
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise UserError(f"{where}: has a NUL character; take it out")
    for name in filter(same_for_batch, values):
        raise UserError(f"{where}: {flag(name)[2:]}: is the same for all pictures of a batch; give {flag(name)}")
    return Row(where, values)
