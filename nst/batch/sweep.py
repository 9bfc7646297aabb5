"""The settings that a sweep goes through, the combinations of their values, and the pictures in rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nst.batch.job_file import read_cell, same_for_batch
from nst.call_options import OPTIONS
from nst.errors import UserError
from nst.options import flag
from nst.values import known_name


@dataclass(frozen=True)
class Sweep:
    """A setting, its values in turn, and the words that the user wrote for each value."""

    name: str
    values: tuple[Any, ...]
    words: tuple[str, ...]


Label = tuple[tuple[str, str], ...]  # Swept settings and the user's words for their values, as in (("seed", "1"),).


@dataclass(frozen=True)
class Grid:
    """The pictures that a sweep makes of the same inputs: columns by the last setting, rows by all others together.

    title  the name that the picture would have without a sweep
    cells  (row, column) -> index of the picture in the batch; where photos or styles are swept, some may be missing
    """

    title: str
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    cells: dict[tuple[int, int], int]


def grid_of(title: str, sweeps: Sequence[Sweep], swept: Mapping[int, tuple[str, ...]]) -> Grid:
    """Return the grid of some pictures of a batch; `swept` holds the words of each picture's values by its index."""
    names = [flag(sweep.name)[2:] for sweep in sweeps]
    labels = {index: tuple(zip(names, words, strict=True)) for index, words in swept.items()}
    rows = tuple(dict.fromkeys(label[:-1] for label in labels.values()))
    columns = tuple(dict.fromkeys(label[-1:] for label in labels.values()))
    cells = {(rows.index(label[:-1]), columns.index(label[-1:])): index for index, label in labels.items()}
    return Grid(title, rows, columns, cells)


def read_sweep(text: str) -> Sweep:
    """Return the sweep that NAME=V1,V2 asks for. Raises UserError."""
    where = f"--sweep {text}"
    key, equals, listed = text.partition("=")
    if not equals or not key:
        raise UserError(f"{where}: must be a setting and its values, as style-weight=20,40,80")
    name = known_name("--sweep", key.removeprefix("--"))
    if same_for_batch(name) or (name in OPTIONS and not OPTIONS[name].sweepable):
        raise UserError(f"{where}: {key} cannot be swept")
    words = tuple(word.strip() for word in listed.split(","))
    for word in words:
        if not word or words.count(word) > 1:
            raise UserError(f"{where}: {f'has {word} twice' if word else 'has an empty value'}; give each value once")
    return Sweep(name, tuple(read_cell("--sweep", key, word) for word in words), words)


def read_sweeps(texts: Sequence[str]) -> list[Sweep]:
    """Return each sweep. Raises UserError, also where two are of one setting."""
    sweeps = [read_sweep(text) for text in texts]
    names = [sweep.name for sweep in sweeps]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--sweep {flag(name)[2:]}: is given twice; give all its values in one")
    return sweeps


def combinations(sweeps: Sequence[Sweep]) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Yield the values by field name, and their words, of each combination, the last sweep fastest."""
    for chosen in product(*(range(len(sweep.values)) for sweep in sweeps)):
        pairs = list(zip(sweeps, chosen, strict=True))
        yield {sweep.name: sweep.values[k] for sweep, k in pairs}, tuple(sweep.words[k] for sweep, k in pairs)
