"""What a batch is to make: its pictures with their inputs, settings and names, and which of them are done already.

Nothing is decoded and nothing is written here, so that a thousand pictures are planned in a moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.batch.contact_sheet import Sheet
from nst.batch.job_file import Row, read_rows
from nst.batch.manifest import Manifest, read_manifest
from nst.batch.naming import batch_folder, batch_title, name_tasks
from nst.batch.sweep import Sweep, read_sweeps
from nst.batch.tasks import Task, fit_name, is_many, tasks_of
from nst.errors import UserError, one_line
from nst.report.pages import REPORT
from nst.report.status import CHANGED, DONE, STARTED, STOPPED, TO_DO, PictureStatus
from nst.run.folder import result_name
from nst.run.input_files import INPUTS
from nst.run.record import deciding
from nst.settings import describe
from nst.values import read_config

BATCH_FLAGS = ("batch", "sweep", "each_style")  # each makes a batch of a call
ONLY_BATCHES = ("workers", "dask", "dask_resource", "force", "list")


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

    def entries(self) -> list[PictureStatus]:
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

    def entry(self, task: Task) -> PictureStatus:
        """Return what is known of a task's picture."""
        known, result = self.manifest.jobs.get(task.name, {}), self.result(task)
        if known.get("key") != task.key or (known.get("state") == DONE and not result.exists()):
            known = {}
        state = known.get("state", TO_DO)
        return PictureStatus(
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
            title, number = fit_name(result_name(tasks[0].paths)), 1
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
    many = bool(asked) or is_many(values.get("content"))
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
    tasks = [task for row in rows for task in tasks_of(row, values, sweeps)]
    title = Path(batch).stem if batch is not None else batch_title(tasks[0], values, sweeps)
    folder = batch_folder(given, title)
    manifest = read_manifest(folder)
    tasks = _without_results(tasks, manifest)
    tasks = [_hashed(replace(task, number=number), manifest) for number, task in enumerate(tasks, start=1)]
    tasks = _with_states(_with_differences(name_tasks(tasks, manifest)), manifest, force=bool(arguments.get("force")))
    return Plan(title, folder, tasks, sweeps, manifest, values.get("report", True))


def flattened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given flags over those in the file that `config` names, which is read but once for all rows."""
    config = arguments.get("config")
    given = {name: value for name, value in arguments.items() if name != "config"}
    return given if config is None or arguments.get("resume") is not None else {**read_config(Path(config)), **given}


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
