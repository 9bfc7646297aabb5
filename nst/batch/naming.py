"""The names of a batch: its own folder, and a result for each picture."""

from __future__ import annotations

import glob
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nst.batch.manifest import NAME as MANIFEST
from nst.batch.manifest import Manifest, is_inside
from nst.batch.sweep import Sweep
from nst.batch.tasks import Task, fit_name
from nst.errors import UserError
from nst.pictures.picture_files import WRITTEN_FORMATS
from nst.run.clip_names import VIDEOS
from nst.run.folder import RunFolder, counted, default_output, result_name
from nst.run.request import STDOUT
from nst.video.clips import ANIMATIONS


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
        if str(given) == STDOUT:
            raise UserError("-o -: only one picture goes to stdout; give a folder for all of them with -o")
        if given.suffix.lower() in (*WRITTEN_FORMATS, *VIDEOS, *ANIMATIONS) and not given.is_dir():
            kind = "picture" if given.suffix.lower() in WRITTEN_FORMATS else "clip"
            raise UserError(f"{given}: is the name of one {kind}; give the folder for all of them with -o")
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
        for claim in _claims(name):
            taken.setdefault(claim, 0)
    for task in tasks:
        if task.number not in names:
            names[task.number] = _free_name(task.wanted, task.suffix, taken, manifest.folder)
            taken.update(dict.fromkeys(_claims(names[task.number]), task.number))
    return [replace(task, name=names[task.number]) for task in tasks]


def _taken_by_rows(tasks: Sequence[Task]) -> dict[str, int]:
    """Return the names that rows give, each with the number of its task. Raises UserError."""
    taken: dict[str, int] = {}
    for task in tasks:
        output = task.request.output
        for claim in _claims(str(output)) if output is not None else ():
            if taken.setdefault(claim, task.number) != task.number:
                other = f"{taken[claim]} and {task.number}"
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
            free = [name for name in before if is_inside(name) and not any(claim in taken for claim in _claims(name))]
            if task.number not in names and free:
                names[task.number] = free[0]
                taken.update(dict.fromkeys(_claims(free[0]), task.number))


def _free_name(wanted: str, suffix: str, taken: Mapping[str, int], folder: Path) -> str:
    """Return a name that no other picture has and no file in the folder."""
    names = (f"{name}{suffix}" for name in counted(wanted))
    return next(
        name
        for name in names
        if not any(claim in taken for claim in _claims(name)) and RunFolder(folder / name).is_free()
    )


def _claims(name: str) -> tuple[str, str]:
    """Return the names that a result takes, its own and its folder's, for comparison with those of other results.

    Some disks know neither case nor accents' spelling.
    """
    paths = Path(name), RunFolder(Path(name)).path
    own, folder = (unicodedata.normalize("NFC", str(path)).casefold() for path in paths)
    return own, folder
