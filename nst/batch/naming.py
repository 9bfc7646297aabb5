"""The names of a batch: its own folder, and a result for each picture."""

from __future__ import annotations

import glob
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nst.batch.manifest import NAME as MANIFEST
from nst.batch.manifest import Manifest
from nst.batch.sweep import Sweep
from nst.batch.tasks import Task, fit_name
from nst.errors import UserError
from nst.pictures.picture_files import WRITTEN_FORMATS
from nst.run.folder import RunFolder, counted, default_output, result_name


def batch_title(first: Task, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> str:
    """Return a name for a batch without a file: of its photos and styles."""
    paths, content = first.request.paths, Path(str(values.get("content", "")))
    if first.source.found:
        folder = content if content.is_dir() else content.parent
        name = "pictures" if glob.has_magic(str(folder)) else folder.resolve().name
        paths = {**paths, "content": (Path(f"{name}.folder"),)}
    words = result_name({**paths, "style": ()}) if values.get("each_style") else result_name(paths)
    return fit_name(words + ("_each" if values.get("each_style") else "") + ("_sweep" if sweeps else ""))


def batch_folder(given: Path | None, title: str) -> Path:
    """Return the batch's folder: the one given, or the first of that name in output/ that is new or a batch's."""
    if given is not None:
        if given.suffix.lower() in WRITTEN_FORMATS and not given.is_dir():
            raise UserError(f"{given}: is the name of one picture; give the folder for all of them with -o")
        return given

    def is_ours(folder: Path) -> bool:
        return not folder.exists() or (folder / MANIFEST).exists() or (folder.is_dir() and not any(folder.iterdir()))

    return next(folder for folder in map(default_output, counted(title)) if is_ours(folder))


def name_tasks(tasks: Sequence[Task], manifest: Manifest) -> list[Task]:
    """Return the tasks with the names of their results: earlier names for earlier pictures, and new names for new ones.

    Raises UserError where two rows name the same result.
    """
    names = {task.number: str(task.request.output) for task in tasks if task.request.output is not None}
    taken = _taken_by_rows(tasks)
    _take_known_names(tasks, manifest, names, taken)
    for name in manifest.jobs:
        taken.setdefault(_run_name(name), 0)
    for task in tasks:
        if task.number not in names:
            names[task.number] = _free_name(task.wanted, taken, manifest.folder)
            taken[_run_name(names[task.number])] = task.number
    return [replace(task, name=names[task.number]) for task in tasks]


def _taken_by_rows(tasks: Sequence[Task]) -> dict[str, int]:
    """Return the names that rows give, each with the number of its task. Raises UserError."""
    taken: dict[str, int] = {}
    for task in tasks:
        output = task.request.output
        if output is not None and taken.setdefault(_run_name(str(output)), task.number) != task.number:
            other = f"{taken[_run_name(str(output))]} and {task.number}"
            where = task.source.where or "-o"
            raise UserError(f"{where}: output {output}: is of two pictures, {other}; give each its own")
    return taken


def _take_known_names(tasks: Sequence[Task], manifest: Manifest, names: dict[int, str], taken: dict[str, int]) -> None:
    """Give the tasks the names that their pictures had before.

    A picture is known by its key, or where the key has changed, by the names of its inputs.
    """
    known: dict[tuple[Any, ...], list[str]] = {}
    for name, facts in manifest.jobs.items():
        wanted = facts.get("wanted")
        for mark in (facts.get("key"), tuple(facts.get("identity") or ())):
            known.setdefault((wanted, mark), []).append(name)
    for mark in ("key", "identity"):
        for task in tasks:
            before = known.get((task.wanted, getattr(task, mark)), [])
            free = [name for name in before if _run_name(name) not in taken]
            if task.number not in names and free:
                names[task.number] = free[0]
                taken[_run_name(free[0])] = task.number


def _free_name(wanted: str, taken: Mapping[str, int], folder: Path) -> str:
    """Return a name that no other picture has and no file in the folder."""
    names = (f"{name}.png" for name in counted(wanted))
    return next(
        name
        for name in names
        if _run_name(name) not in taken and not (folder / name).exists() and not RunFolder(folder / name).path.exists()
    )


def _run_name(name: str) -> str:
    """Return the name of a result's folder for comparison, as some disks know neither case nor accents' spelling."""
    return unicodedata.normalize("NFC", str(RunFolder(Path(name)).path)).casefold()
