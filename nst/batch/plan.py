"""What a batch is to make: its pictures with their inputs, settings and names, and which of them are done already.

Nothing is decoded and nothing is written here, so that a thousand pictures are planned in a moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from nst.batch.contact_sheet import Sheet
from nst.batch.job_file import Row, read_rows
from nst.batch.manifest import Manifest, is_inside, is_whole, read_manifest
from nst.batch.naming import batch_folder, batch_title, name_tasks
from nst.batch.sweep import Grid, Label, Sweep, grid_of, read_sweeps
from nst.batch.tasks import Task, fit_name, tasks_of
from nst.call_options import OPTIONS
from nst.errors import UserError, count_of, one_line
from nst.options import flag, format_value
from nst.preset_files import describe
from nst.report.pages import REPORT
from nst.report.status import CHANGED, DONE, STARTED, STOPPED, TO_DO, PictureStatus
from nst.run.folder import MOST_NAMED, RunFolder, counted, result_name
from nst.run.input_files import frames_of, frames_sha256, is_pattern, left_out, sample, stands_for_many, videos_in
from nst.run.record import deciding
from nst.run.request import ROLES, WEIGHTS_WITHOUT_FILE, Request
from nst.video.clips import is_one_clip

FOR_MANY = "is for many pictures; give a folder or a pattern as CONTENT, or --batch, --sweep or --each-style"


@dataclass(frozen=True)
class Plan:
    """A batch: its pictures in order, and the manifest of its earlier runs.

    report  whether it is to have a page of its own
    notes   what the user should know of how the pictures were found
    """

    title: str
    folder: Path
    tasks: list[Task]
    sweeps: list[Sweep]
    manifest: Manifest
    report: bool = True
    notes: tuple[str, ...] = ()

    def result(self, task: Task) -> Path:
        """Return the path of a task's picture."""
        return self.folder / task.name

    def request(self, task: Task) -> Request:
        """Return a task's request with its place. The batch may replace pictures of its own, and names of its own."""
        own = task.name in self.manifest.jobs and is_inside(task.name)
        replaces = task.request.overwrite or task.request.output is None or own
        return replace(task.request, output=self.result(task), overwrite=replaces)

    def statuses(self) -> list[PictureStatus]:
        """Return the status of each picture."""
        return [self.status(task) for task in self.tasks]

    def done_so_far(self) -> str:
        """Return the words for a batch that is stopped."""
        done = sum(status.state == DONE for status in self.statuses())
        return f"{done} of {len(self.tasks)} pictures are done"

    @property
    def page(self) -> Path | None:
        """Return the page of the batch, or None without one."""
        return self.folder / REPORT if self.report and self.manifest.page else None

    @property
    def left(self) -> int:
        """Return the number of pictures to make."""
        return sum(task.state != DONE for task in self.tasks)

    def status(self, task: Task) -> PictureStatus:
        """Return the status of a task's picture."""
        known, result = self.manifest.jobs.get(task.name, {}), self.result(task)
        if known.get("key") != task.key or (known.get("state") == DONE and not is_whole(result)):
            known = {}
        state = known.get("state", TO_DO)
        return PictureStatus(
            result.stem,
            STOPPED if state == STARTED else state,
            result,
            task.request.paths["content"][0],
            task.request.paths["style"],
            known.get("seconds"),
            known.get("error"),
            task.differs,
            RunFolder(result).path,
            task.request.clip,
        )

    def sheets(self) -> list[tuple[Path, Sheet]]:
        """Return the contact sheets of a sweep with their paths, one for each picture that is made in several ways."""
        found: dict[str, Sheet] = {}
        for grid in self.grids():
            names = (f"{name}.png" for name in counted(f"{grid.title}_sweep"))
            found[next(name for name in names if name not in found and self._is_free(name))] = self._sheet(grid)
        return [(self.folder / name, sheet) for name, sheet in found.items()]

    def grids(self) -> list[Grid]:
        """Return the grids of a sweep, one for each picture that is made in several ways; without a sweep none."""
        groups: dict[tuple[str, int], list[Task]] = {}
        for task in self.tasks if self.sweeps else []:
            groups.setdefault((task.source.where, task.source.index), []).append(task)
        return [
            grid_of(
                fit_name(result_name(tasks[0].request.paths)),
                self.sweeps,
                {task.number - 1: task.source.swept for task in tasks},
            )
            for tasks in groups.values()
        ]

    def _is_free(self, name: str) -> bool:
        """Return whether a contact sheet may have a name: it is new, or was a sheet of this batch before."""
        return name in self.manifest.jobs or not (self.folder / name).exists()

    def _sheet(self, grid: Grid) -> Sheet:
        def words(label: Label) -> str:
            return "\n".join(f"{name} {value}" for name, value in label)

        def made(task: Task) -> Path | None:
            return self.result(task) if self.status(task).state == DONE else None

        cells = {cell: made(self.tasks[index]) for cell, index in grid.cells.items()}
        return Sheet(grid.title, list(map(words, grid.rows)), list(map(words, grid.columns)), cells)


def is_batch(values: Mapping[str, Any]) -> bool:
    """Return whether a call asks for many pictures. Raises UserError for flags that do not go together."""
    asked, needs, shares = (_given(values, kind) for kind in ("makes", "needs", "shares"))
    content, given = values.get("content"), asked or needs
    many = bool(asked) or bool(content and _stands_for_many(Path(content), as_clip=bool(values.get("as_clip"))))
    if given and values.get("resume") is not None:
        raise UserError(f"{flag(given)}: --resume goes on with one picture; give the batch's command again")
    if given and not many:
        raise UserError(f"{flag(given)}: {FOR_MANY}")
    is_clip = not content or is_one_clip(Path(content), as_clip=bool(values.get("as_clip")))  # Else refuse_sharing.
    if shares and not many and not is_clip:
        raise UserError(f"{flag(shares)}: {FOR_MANY}, or a clip as CONTENT")
    return many


def refuse_sharing(values: Mapping[str, Any]) -> None:
    """Raise UserError where a call that makes one picture asks for workers."""
    shares = _given(values, "shares")
    if shares:
        raise UserError(f"{flag(shares)}: is for many pictures or a clip; leave it out for one picture")


def _given(values: Mapping[str, Any], kind: str) -> str | None:
    """Return the first option of a kind, see CallOption.batch, that a call gives."""
    return next((name for name, option in OPTIONS.items() if option.batch == kind and values.get(name)), None)


def _stands_for_many(content: Path, *, as_clip: bool) -> bool:
    return stands_for_many(content) and not is_one_clip(content, as_clip=as_clip)


def plan_batch(values: Mapping[str, Any]) -> Plan:
    """Return the plan of a call for many pictures. Raises UserError for a mistake in a flag or a batch file."""
    given, batch = values.get("output"), values.get("batch")
    of_rows = {name: value for name, value in values.items() if name != "output"}
    sweeps = read_sweeps(values.get("sweep") or [])
    title, rows = ("", [Row("", {})]) if batch is None else read_rows(Path(batch))
    tasks = [task for row in rows for task in tasks_of(row, of_rows, sweeps)]
    title = title or batch_title(tasks[0], of_rows, sweeps)
    folder = batch_folder(None if given is None else Path(given), title)
    manifest = read_manifest(folder)
    tasks = _without_results(tasks, manifest)
    tasks = [_hashed(replace(task, number=number), manifest) for number, task in enumerate(tasks, start=1)]
    tasks = _with_states(_with_differences(name_tasks(tasks, manifest)), manifest, force=bool(values.get("force")))
    return Plan(title, folder, tasks, sweeps, manifest, values.get("report", True), tuple(_left_out(tasks, values)))


def _left_out(tasks: Sequence[Task], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each folder of photos or styles that has pictures that are not read."""
    photos: list[Path] = []
    if not is_pattern(Path(values.get("content", ""))):
        photos = [task.request.paths["content"][0].parent for task in tasks if task.source.found]
    named = {place for name in values.get("style", ()) for place in (Path(name), sample(Path(name)))}
    styles = [path.parent for task in tasks for path in task.request.paths["style"] if path.parent in named]
    if values.get("content") and not all(task.request.clip for task in tasks):
        for folder in dict.fromkeys(photos):
            if videos_in(folder):
                words = f"its videos are left out, as a folder stands for its photos; '{folder / '*'}' stands for all"
                yield f"{folder}: {words}"
    for folder in dict.fromkeys([*photos, *styles]):
        names = [path.name for path in left_out(folder)]
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            yield f"{folder}: left out, as their formats are not read: {', '.join(names[:MOST_NAMED])}{more}"


def _without_results(tasks: Sequence[Task], manifest: Manifest) -> list[Task]:
    """Return the tasks whose photo is no result of this batch, whose folder may be among the photos."""
    made = {name for job in manifest.jobs for name in (job, str(RunFolder(Path(job)).path))}
    folder = manifest.folder.resolve()

    def is_photo(task: Task) -> bool:
        path = task.request.paths["content"][0].resolve()
        if not (task.source.found and path.is_relative_to(folder)):
            return True
        within = path.relative_to(folder)
        return not any(str(place) in made for place in (within, *within.parents))

    left = [task for task in tasks if is_photo(task)]
    if not left:
        raise UserError(f"{tasks[0].request.paths['content'][0]}: is a result of this batch, and so are all others")
    return left


def _hashed(task: Task, manifest: Manifest) -> Task:
    """Return the task with the SHA-256 of its inputs, and with its key."""
    settings = task.request.settings
    inputs = dict(task.request.paths)
    if settings.weights not in WEIGHTS_WITHOUT_FILE:
        inputs["weights"] = (Path(str(settings.weights)),)
    files = {role: [_sha256_of(path, manifest) for path in paths] for role, paths in inputs.items()}
    decided = {name: value for name, value in deciding(settings).items() if name not in files or name not in ROLES}
    told: list[Any] = [files, decided]
    if task.request.clip:
        told.append("clip")  # The same file may be a picture too.
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return replace(task, inputs=files, key=key)


def _sha256_of(path: Path, manifest: Manifest) -> str | None:
    """Return the SHA-256 of an input, see input_sha256; None for an unreadable file."""
    frames = frames_of(path)
    return frames_sha256(frames, manifest.sha256) if frames else manifest.sha256(path)


def _with_differences(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks, each with the settings that are not the same in all tasks."""
    described = [describe(task.request.settings) for task in tasks]
    first = described[0]
    names = [name for name in first if any(settings[name] != first[name] for settings in described)]
    return [
        replace(task, differs={name: settings[name] for name in names})
        for task, settings in zip(tasks, described, strict=True)
    ]


def _with_states(tasks: Sequence[Task], manifest: Manifest, *, force: bool) -> list[Task]:
    """Return the tasks, each with its state."""
    states = []
    for task in tasks:
        known = manifest.jobs.get(task.name)
        if known and known.get("key") != task.key:
            states.append(CHANGED)
        elif known and known.get("state") == DONE and is_whole(manifest.folder / task.name) and not force:
            states.append(DONE)
        else:
            states.append(TO_DO)
    return [replace(task, state=state) for task, state in zip(tasks, states, strict=True)]


def plan_text(plan: Plan) -> str:
    """Return the plan as a table: number, state, result, inputs, and the settings that are not the same in all."""
    rows: list[tuple[str, ...]] = [("", "state", "result", "content", "styles", "settings")]
    for task in plan.tasks:
        settings = " ".join(f"{flag(name)[2:]}={quote(format_value(value))}" for name, value in task.differs.items())
        styles = " ".join(str(path) for path in task.request.paths["style"])
        rows.append((str(task.number), task.state, task.name, str(task.request.paths["content"][0]), styles, settings))
    rows = [tuple(map(one_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    done = sum(task.state == DONE for task in plan.tasks)
    return "\n".join([*lines, f"{count_of(len(plan.tasks), 'picture')} in {plan.folder}, {done} of them done"])
