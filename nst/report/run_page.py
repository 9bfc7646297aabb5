"""report.html of a run: one file that needs no network. This module gathers the facts, templates/ decides the look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.options import flag, format_value, option_of
from nst.pictures.picture_files import preview, read_preview
from nst.places import command_line
from nst.preset_files import describe
from nst.report.chart import make_chart, scales_of
from nst.report.pages import LARGEST_PX, RECORD, SMALL_PX, PagePicture, embedded, environment, relative_link
from nst.report.sources import Named, Sources, title_of
from nst.report.status import STOPPED
from nst.settings import Settings
from nst.system.atomic_files import atomic_write
from nst.system.memory import peak_mb
from nst.transfer.state import Step

SNAPSHOT_PX = 256  # The long side of a snapshot on the page.
MOST_SNAPSHOTS = 24  # The largest number of snapshots on the page.


@dataclass(frozen=True)
class Run:
    """All that the report of a run tells.

    result     the picture as it was written, or the picture so far
    state      DONE, STOPPED or FAILED
    message    the reason of a failure, or how to resume a stopped run; empty for a run that is done
    snapshots  the step and the file of each, in order
    record     the fields of settings.json
    warnings   all that were told during the run
    """

    sources: Sources
    result: Named
    state: str
    message: str
    snapshots: Sequence[tuple[Step, Path]]
    steps: Sequence[Step]
    seconds: float
    record: Mapping[str, Any]
    warnings: Sequence[str] = ()


def write_run_page(path: Path, run: Run) -> None:
    """Write the report of a run, whole or not at all. Raises OSError."""
    result = run.result.image
    content = preview(run.sources.content.image, max(result.shape[:2]))
    scales = scales_of(run.steps)
    trio = _trio(run, content)
    page = environment().get_template("report.html")
    text = page.render(
        run=run,
        title=title_of(run.sources),
        made=datetime.now().astimezone(),
        peak_mb=peak_mb(),
        compared=(
            replace(embedded("the photo", content, LARGEST_PX), key="large-photo"),
            replace(embedded("the result", result, LARGEST_PX), key="large-result"),
        ),
        file=relative_link(path.parent.parent / run.result.name, path.parent),
        folder=path.parent.name,
        to_resume=_can_resume(run),
        command=command_for(path.parent.name, to_resume=_can_resume(run)),
        trio=trio,
        snapshots=list(_snapshots(run)),
        result_again=replace(trio[-1][1], source=""),
        chart=make_chart(run.steps, run.sources.steps if run.state == STOPPED else 0),
        scales=list(zip(scales, _seconds_per_scale(scales), strict=True)),
        settings=settings_rows(run.record["settings"]),
    )
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _can_resume(run: Run) -> bool:
    """Return whether a run was stopped and its folder holds what is needed to go on."""
    return run.state == STOPPED and bool(run.message)


def command_for(folder: str, *, to_resume: bool) -> str:
    """Return the command that goes on with a stopped run, or makes its result again.

    The command names files without the folders of the machine, as a page may be shared.
    """
    return command_line(*(["--resume", folder] if to_resume else ["--settings-from", f"{folder}/{RECORD}"]))


def _trio(run: Run, content: np.ndarray) -> list[tuple[str, PagePicture]]:
    """Return (role, small picture) of the photo, the styles and the result. The result is last, and has a key."""
    photo, result = run.sources.content.name, run.result.name
    made = embedded(f"the result {result}", run.result.image, SMALL_PX, name=result, rough=True)
    return [
        ("photo", embedded(f"the photo {photo}", content, SMALL_PX, name=photo, rough=True)),
        *(
            ("style", embedded(f"the style {style.name}", style.image, SMALL_PX, name=style.name, rough=True))
            for style in run.sources.styles
        ),
        ("result", replace(made, key="result")),
    ]


def _snapshots(run: Run) -> Iterator[tuple[str, PagePicture]]:
    """Yield (step and long side in words, picture) of at most MOST_SNAPSHOTS snapshots, evenly spread over the run."""
    chosen = {round(k) for k in np.linspace(0, len(run.snapshots) - 1, min(len(run.snapshots), MOST_SNAPSHOTS))}
    for index in sorted(chosen):
        step, path = run.snapshots[index]
        where = f"step {step.number}, {max(step.size)} px"
        try:
            image = read_preview(path, SNAPSHOT_PX)
            yield where, embedded(f"the picture after {where}", image, SNAPSHOT_PX, rough=True)
        except (UserError, OSError):  # The file is gone or damaged.
            continue


def _seconds_per_scale(scales: Sequence[Sequence[Step]]) -> list[float | None]:
    """Return the seconds that each scale took, or None where the steps of the scale have no times."""
    found: list[float | None] = []
    before = 0.0
    for steps in scales:
        found.append(steps[-1].seconds - before if steps[-1].seconds else None)
        before = steps[-1].seconds
    return found


def settings_rows(values: Mapping[str, Any]) -> list[tuple[str, str, str, str, bool]]:
    """Return (flag, value, default, help, whether value and default differ) of each setting, the different first."""
    default = describe(Settings())
    rows = [
        (
            flag(item.name),
            format_value(values[item.name]),
            format_value(default[item.name]),
            option_of(item).help,
            values[item.name] != default[item.name],
        )
        for item in fields(Settings)
        if item.name in values
    ]
    return sorted(rows, key=lambda row: not row[-1])
