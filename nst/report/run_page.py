"""The pages that one looks at: report.html of a run, and one of a batch. Each is a single file without a network.

What is shown is gathered here; how, is said in templates/. The page of a run that goes on is served by watch.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import preview, read_preview
from nst.report.chart import make_chart, scales_of
from nst.report.pages import LARGEST_PX, SMALL_PX, Shown, embedded, environment, setting_words
from nst.report.sources import Named, Sources, title_of
from nst.settings import Settings, describe, flag, option_of
from nst.system.atomic_files import atomic_write
from nst.system.memory import peak_mb
from nst.transfer.state import Step

if TYPE_CHECKING:
    pass

SNAPSHOT_PX = 256
MOST_SNAPSHOTS = 24


@dataclass(frozen=True)
class Run:
    """What the report of a run tells.

    state      done, stopped or failed; `message` says more, where it failed
    result     the picture as it was written, or as far as it is
    snapshots  their files in the order of their steps
    record     as in settings.json
    warnings   that were told while it went on
    """

    sources: Sources
    result: Named
    state: str
    message: str
    snapshots: tuple[Path, ...]
    steps: Sequence[Step]
    seconds: float
    record: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


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
        compared=(embedded("the photo", content, LARGEST_PX), embedded("the result", result, LARGEST_PX)),
        trio=trio,
        snapshots=list(_snapshots(run)),
        result_again=replace(trio[-1][1], source=""),
        chart=make_chart(run.steps, run.sources.steps if run.state == "stopped" else 0),
        scales=list(zip(scales, _seconds(scales), strict=True)),
        settings=_settings_told(run.record["settings"]),
    )
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _trio(run: Run, content: np.ndarray) -> list[tuple[str, Shown]]:
    """Return photo, styles and result by their roles, small; the result last, under a key."""
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


def _snapshots(run: Run) -> Iterator[tuple[str, Shown]]:
    """Yield step and long side, in words, and picture of the snapshots that are there; of at most MOST_SNAPSHOTS."""
    chosen = {round(k) for k in np.linspace(0, len(run.snapshots) - 1, min(len(run.snapshots), MOST_SNAPSHOTS))}
    for index in sorted(chosen):
        path = run.snapshots[index]
        _, number, side = path.stem.split("_")
        where = f"step {number.lstrip('0')}, {side.removesuffix('px')} px"
        try:
            image = read_preview(path, SNAPSHOT_PX)
            yield where, embedded(f"the picture after {where}", image, SNAPSHOT_PX, rough=True)
        except (UserError, OSError):  # gone or damaged since
            continue


def _seconds(scales: Sequence[Sequence[Step]]) -> list[float | None]:
    """Return the seconds that each scale took, or None for one of a run whose steps have no times."""
    found: list[float | None] = []
    before = 0.0
    for steps in scales:
        found.append(steps[-1].seconds - before if steps[-1].seconds else None)
        before = steps[-1].seconds
    return found


def _settings_told(values: Mapping[str, Any]) -> list[tuple[str, str, str, str, bool]]:
    """Return flag, value, default, help and whether it differs, for each setting; those that differ first."""
    default = describe(Settings())
    told = [
        (
            flag(item.name),
            setting_words(values[item.name]),
            setting_words(default[item.name]),
            option_of(item).help,
            values[item.name] != default[item.name],
        )
        for item in fields(Settings)
        if item.name in values
    ]
    return sorted(told, key=lambda row: not row[-1])
