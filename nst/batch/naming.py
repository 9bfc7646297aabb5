"""TODO."""

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
from nst.batch.tasks import Task, fit_name, is_many
from nst.errors import UserError
from nst.pictures.picture_files import FORMATS
from nst.run.folder import default_output, result_name


def batch_title(first: Task, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> str:
    """Return a name for a batch that has no file: of its photos and styles."""
    content, paths = str(values.get("content", "")), first.paths
    if is_many(content):
        folder = Path(content) if Path(content).is_dir() else Path(content).parent
        name = "pictures" if glob.has_magic(str(folder)) else folder.resolve().name
        paths = {**paths, "content": (Path(f"{name}.folder"),)}
    words = result_name({**paths, "style": ()}) if values.get("each_style") else result_name(paths)
    return fit_name(words + ("_each" if values.get("each_style") else "") + ("_sweep" if sweeps else ""))


def batch_folder(given: str | None, title: str) -> Path:
    """Return the batch's folder: the one given, or the first of that name in output/ that is new or a batch's."""
    if given is not None:
        if Path(given).suffix.lower() in FORMATS and not Path(given).is_dir():
            raise UserError(f"{given}: is the name of one picture; give the folder for all of them with -o")
        return Path(given)
    folder, number = default_output(title), 1
    while folder.exists() and not (folder / MANIFEST).exists() and (not folder.is_dir() or any(folder.iterdir())):
        number += 1
        folder = default_output(f"{title}_{number}")
    return folder


def name_tasks(tasks: Sequence[Task], manifest: Manifest) -> list[Task]:
    """Return the tasks with the names of their results: those they had before, and new ones for new pictures.

    A picture is known by all that decides it, or where that has changed, by the names of its inputs.
    """
    names: dict[int, str] = {task.number: task.output for task in tasks if task.output is not None}
    taken: dict[str, int] = {}
    for task in tasks:
        if task.output is not None and taken.setdefault(_run_name(task.output), task.number) != task.number:
            other = f"{taken[_run_name(task.output)]} and {task.number}"
            raise UserError(
                f"{task.where or '-o'}: output {task.output}: is of two pictures, {other}; give each its own"
            )
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
    for name in manifest.jobs:
        taken.setdefault(_run_name(name), 0)
    for task in tasks:
        if task.number not in names:
            names[task.number] = _first_free(task.wanted, taken, manifest.folder)
            taken[_run_name(names[task.number])] = task.number
    return [replace(task, name=names[task.number]) for task in tasks]


def _first_free(wanted: str, taken: Mapping[str, int], folder: Path) -> str:
    """Return a name that no other picture has and no file in the folder."""
    name, number = wanted, 1
    while _run_name(f"{name}.png") in taken or (folder / f"{name}.png").exists() or (folder / name).exists():
        number += 1
        name = f"{wanted}_{number}"
    return f"{name}.png"


def _run_name(name: str) -> str:
    """Return the name of a result's folder as disks tell names apart that know neither case nor accents' spelling."""
    return unicodedata.normalize("NFC", str(Path(name).with_suffix(""))).casefold()
