"""What a batch is to make: its pictures with their inputs, settings and names, and which of them are done already.

Nothing is decoded and nothing is written here, so that a thousand pictures are planned in a moment.
"""

from __future__ import annotations

import glob
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nst.run.job
from nst.batch.contact_sheet import Sheet
from nst.batch.job_file import Row, Sweep, combinations, read_rows, read_sweeps
from nst.batch.manifest import NAME as MANIFEST
from nst.batch.manifest import Manifest, read_manifest
from nst.command.config import INPUTS, find_inputs, read_call, read_config
from nst.errors import UserError, one_line
from nst.pictures.picture_files import FORMATS, check_format
from nst.report.run_page import REPORT
from nst.report.status import CHANGED, DONE, STARTED, STOPPED, TO_DO, Entry
from nst.run.job import Paths, deciding, find_picture, find_pictures, is_picture, pictures_of, result_name
from nst.settings import Settings, describe
from nst.transfer.masks import check_counts

BATCH_FLAGS = ("batch", "sweep", "each_style")  # each makes a batch of a call
ONLY_BATCHES = ("workers", "dask", "dask_resource", "force", "list")
LONGEST_NAME = 150  # of a result, in bytes, without suffix and number
UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")  # for a file name, or for a line that holds one


@dataclass(frozen=True)
class Task:
    """A picture of a batch.

    number   its place in the plan, from 1
    where    the row that it comes from, for messages; empty for the command line
    group    the row again, and which of its pictures, which a sweep makes in several ways
    wanted   the name that its result would have if no other had it
    name     the result, from the batch's folder on
    swept    the words of each swept setting
    found    whether its photo is one of a folder or a pattern
    inputs   role -> SHA-256 of each file, None where it cannot be read
    key      a hash of them and of the settings that decide the pixels
    state    whether it is done; to do, also where its result is not there any more; or was done otherwise
    differs  the settings that are not the same in all pictures of the batch
    """

    number: int
    where: str
    group: tuple[str, int]
    paths: Paths
    settings: Settings
    wanted: str
    output: str | None = None
    swept: tuple[str, ...] = ()
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    verbose: bool = False
    found: bool = False
    inputs: dict[str, list[str | None]] = field(default_factory=dict)
    key: str = ""
    name: str = ""
    state: str = TO_DO
    differs: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what stays the same of a picture when its settings change: the names of its inputs."""
        return tuple(str(path.absolute()) for role in ("content", "style") for path in self.paths[role])


@dataclass(frozen=True)
class Plan:
    """A batch: its pictures in order, and what is known of earlier runs of it.

    report  whether it is to have a page of its own
    """

    title: str
    folder: Path
    tasks: list[Task]
    sweeps: list[Sweep]
    manifest: Manifest
    report: bool = True

    def result(self, task: Task) -> Path:
        """Return where the picture of a task goes."""
        return self.folder / task.name

    def entries(self) -> list[Entry]:
        """Return what is known of each picture."""
        return [self.entry(task) for task in self.tasks]

    @property
    def page(self) -> Path | None:
        """Return the page that shows the batch, if there is one that does."""
        return self.folder / REPORT if self.report and self.manifest.page else None

    @property
    def left(self) -> int:
        """Return how many pictures are to be made."""
        return sum(task.state != DONE for task in self.tasks)

    def entry(self, task: Task) -> Entry:
        """Return what is known of a task's picture."""
        known, result = self.manifest.jobs.get(task.name, {}), self.result(task)
        if known.get("key") != task.key or (known.get("state") == DONE and not result.exists()):
            known = {}
        state = known.get("state", TO_DO)
        return Entry(
            result.stem,
            STOPPED if state == STARTED else state,
            result,
            task.paths["content"][0],
            task.paths["style"],
            known.get("seconds"),
            known.get("error"),
            task.differs,
            result.with_suffix(""),
        )

    def sheets(self) -> list[tuple[Path, Sheet]]:
        """Return the contact sheets of a sweep with their paths: one for each picture that it makes in several ways.

        Columns are the values of the last setting, rows those of all others together.
        """
        groups: dict[tuple[str, int], list[Task]] = {}
        for task in self.tasks if self.sweeps else []:
            groups.setdefault(task.group, []).append(task)
        found: dict[str, Sheet] = {}
        for tasks in groups.values():
            title, number = _fit(result_name(tasks[0].paths)), 1
            name = f"{title}_sweep.png"
            while name in found or ((self.folder / name).exists() and name not in self.manifest.jobs):
                number += 1
                name = f"{title}_sweep_{number}.png"
            found[name] = self._sheet(title, tasks)
        return [(self.folder / name, sheet) for name, sheet in found.items()]

    def _sheet(self, title: str, tasks: Sequence[Task]) -> Sheet:
        names = [f"{sweep.name.replace('_', '-')} " for sweep in self.sweeps]
        labelled = [[name + word for name, word in zip(names, task.swept, strict=True)] for task in tasks]
        rows = list(dict.fromkeys("\n".join(labels[:-1]) for labels in labelled))
        columns = list(dict.fromkeys(labels[-1] for labels in labelled))
        cells = {}
        for task, labels in zip(tasks, labelled, strict=True):
            made = self.entry(task).state == DONE
            cells[rows.index("\n".join(labels[:-1])), columns.index(labels[-1])] = self.result(task) if made else None
        return Sheet(title, rows, columns, cells)


def is_batch(arguments: Mapping[str, Any]) -> bool:
    """Return whether a call asks for many pictures. Raises UserError where it mixes what does not go together."""
    values = flattened(arguments)
    asked = next((name for name in BATCH_FLAGS if values.get(name)), None)
    many = bool(asked) or _is_many(values.get("content"))
    given = asked or next((name for name in ONLY_BATCHES if arguments.get(name)), None)
    if given and arguments.get("resume") is not None:
        raise UserError(
            f"--{given.replace('_', '-')}: --resume goes on with one picture; give the batch's command again"
        )
    if given and not many:
        raise UserError(
            f"--{given.replace('_', '-')}: is for many pictures; give a folder or a pattern as CONTENT, or --batch, "
            "--sweep or --each-style"
        )
    return many


def plan_batch(arguments: Mapping[str, Any]) -> Plan:
    """Return the plan of what the given flags ask for. Raises UserError for a mistake in a flag or a batch file."""
    values = flattened(arguments)
    given = values.pop("output", None)
    sweeps = read_sweeps(arguments.get("sweep") or [])
    batch = arguments.get("batch")
    rows = [Row("", {})] if batch is None else read_rows(Path(batch))
    tasks = [task for row in rows for task in _tasks_of(row, values, sweeps)]
    title = Path(batch).stem if batch is not None else _title(tasks[0], values, sweeps)
    folder = _folder(given, title)
    manifest = read_manifest(folder)
    tasks = _without_results(tasks, manifest)
    tasks = [_hashed(replace(task, number=number), manifest) for number, task in enumerate(tasks, start=1)]
    tasks = _with_states(_with_differences(_named(tasks, manifest)), manifest, force=bool(arguments.get("force")))
    return Plan(title, folder, tasks, sweeps, manifest, values.get("report", True))


def flattened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given flags over those in the file that `config` names, which is read but once for all rows."""
    config = arguments.get("config")
    given = {name: value for name, value in arguments.items() if name != "config"}
    return given if config is None or arguments.get("resume") is not None else {**read_config(Path(config)), **given}


def _is_many(content: str | None) -> bool:
    """Return whether CONTENT is a folder or a pattern."""
    if not content:
        return False
    try:
        return find_picture(content).is_dir()
    except UserError:
        return glob.has_magic(content)


def _tasks_of(row: Row, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> Iterator[Task]:
    """Yield the pictures of a row. Raises UserError that names it."""
    try:
        for swept, words in combinations(sweeps):
            call = read_call({**values, **row.values, **swept})
            content, styles, settings = find_inputs(call)
            suffix = "".join(f"_{s.name.replace('_', '-')}={word}" for s, word in zip(sweeps, words, strict=True))
            if call.output is not None:
                check_format(Path(call.output), bit_depth=settings.bit_depth)
            inputs = _inputs(content, styles, settings, each=call.each_style, lenient=bool(row.where))
            for index, paths in enumerate(inputs):
                check_counts(len(paths["style"]), settings)
                yield Task(
                    0,
                    row.where,
                    (row.where, index),
                    paths,
                    settings,
                    _fit(result_name(paths) + suffix),
                    call.output and str(Path(call.output).with_stem(_fit(Path(call.output).stem + suffix))),
                    words,
                    call.overwrite,
                    call.plot,
                    call.report,
                    call.verbose,
                    _is_many(content),
                )
    except UserError as error:
        raise UserError(f"{row.where}: {error}" if row.where else str(error)) from error


def _inputs(content: str, styles: Sequence[str], settings: Settings, *, each: bool, lenient: bool) -> Iterator[Paths]:
    """Yield the files of each picture.

    lenient  whether a file that is not there is passed on, so that its picture fails and not the batch
    """
    try:
        paths = [path for name in styles for path in pictures_of(find_picture(name))]
        for photo in _contents(content):
            for chosen in [[path] for path in paths] if each else [paths]:
                yield find_pictures(str(photo), list(map(str, chosen)), settings)
    except UserError:
        if not lenient:
            raise
        yield {"content": (Path(content),), "style": tuple(map(Path, styles))}


def _contents(content: str) -> list[Path]:
    """Return the photos that CONTENT stands for, by name. Raises UserError where there is none."""
    try:
        return pictures_of(find_picture(content))
    except UserError:
        if not glob.has_magic(content) or Path(content).exists():
            raise
    matches = sorted(glob.glob(content, recursive=True))  # noqa: PTH207  Path.glob takes no pattern from the root
    found = [path for path in map(Path, matches) if is_picture(path)]
    if not found:
        raise UserError(f"{content}: no picture has such a name")
    return found


def _title(first: Task, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> str:
    """Return a name for a batch that has no file: of its photos and styles."""
    content, paths = str(values.get("content", "")), first.paths
    if _is_many(content):
        folder = Path(content) if Path(content).is_dir() else Path(content).parent
        name = "pictures" if glob.has_magic(str(folder)) else folder.resolve().name
        paths = {**paths, "content": (Path(f"{name}.folder"),)}
    words = result_name({**paths, "style": ()}) if values.get("each_style") else result_name(paths)
    return _fit(words + ("_each" if values.get("each_style") else "") + ("_sweep" if sweeps else ""))


def _folder(given: str | None, title: str) -> Path:
    """Return the batch's folder: the one given, or the first of that name in output/ that is new or a batch's."""
    if given is not None:
        if Path(given).suffix.lower() in FORMATS and not Path(given).is_dir():
            raise UserError(f"{given}: is the name of one picture; give the folder for all of them with -o")
        return Path(given)
    folder, number = nst.run.job.OUTPUT / title, 1
    while folder.exists() and not (folder / MANIFEST).exists() and (not folder.is_dir() or any(folder.iterdir())):
        number += 1
        folder = nst.run.job.OUTPUT / f"{title}_{number}"
    return folder


def _without_results(tasks: Sequence[Task], manifest: Manifest) -> list[Task]:
    """Return the tasks but those whose photo the batch has made, as where its folder is among the photos."""
    made = {name for job in manifest.jobs for name in (job, str(Path(job).with_suffix("")))}
    folder = manifest.folder.resolve()

    def is_photo(task: Task) -> bool:
        path = task.paths["content"][0].resolve()
        return not (task.found and path.is_relative_to(folder) and path.relative_to(folder).parts[0] in made)

    left = [task for task in tasks if is_photo(task)]
    if not left:
        raise UserError(f"{tasks[0].paths['content'][0]}: is a result of this batch, and so are all others")
    return left


def _hashed(task: Task, manifest: Manifest) -> Task:
    """Return the task with the hashes of its inputs, and of them with the settings that decide the pixels."""
    settings = deciding(task.settings)
    inputs = dict(task.paths)
    if task.settings.weights not in (None, "imagenet"):
        inputs["weights"] = (Path(str(task.settings.weights)),)
    files = {role: [manifest.sha256(path) for path in paths] for role, paths in inputs.items()}
    decided = {name: value for name, value in settings.items() if name not in files or name not in INPUTS}
    key = hashlib.sha256(json.dumps([files, decided], sort_keys=True).encode()).hexdigest()
    return replace(task, inputs=files, key=key)


def _named(tasks: Sequence[Task], manifest: Manifest) -> list[Task]:
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


def _fit(name: str) -> str:
    """Return a name that any file may have: of one line, without separators, not too long."""
    return UNFIT.sub("_", name).encode()[:LONGEST_NAME].decode(errors="ignore")


def _with_differences(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks, each with those settings that are not the same in all."""
    described = [describe(task.settings) for task in tasks]
    first = described[0]
    names = [name for name in first if any(settings[name] != first[name] for settings in described)]
    return [
        replace(task, differs={name: settings[name] for name in names})
        for task, settings in zip(tasks, described, strict=True)
    ]


def _with_states(tasks: Sequence[Task], manifest: Manifest, *, force: bool) -> list[Task]:
    """Return the tasks, each with whether it is done, to be done, or was done otherwise."""
    states = []
    for task in tasks:
        known = manifest.jobs.get(task.name)
        if known and known.get("key") != task.key:
            states.append(CHANGED)
        elif known and known.get("state") == DONE and (manifest.folder / task.name).exists() and not force:
            states.append(DONE)
        else:
            states.append(TO_DO)
    return [replace(task, state=state) for task, state in zip(tasks, states, strict=True)]


def plan_text(plan: Plan) -> str:
    """Return the plan as a table: number, state, result, inputs, and the settings that are not the same in all."""
    rows: list[tuple[str, ...]] = [("", "state", "result", "content", "styles", "settings")]
    for task in plan.tasks:
        settings = " ".join(f"{name.replace('_', '-')}={_word(value)}" for name, value in task.differs.items())
        styles = " ".join(str(path) for path in task.paths["style"])
        rows.append((str(task.number), task.state, task.name, str(task.paths["content"][0]), styles, settings))
    rows = [tuple(map(one_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    done = sum(task.state == DONE for task in plan.tasks)
    return "\n".join([*lines, f"{len(plan.tasks)} pictures in {plan.folder}, {done} of them done"])


def _word(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
