"""The pages that one looks at: report.html of a run, and one of a batch. Each is a single file without a network.

What is shown is gathered here; how, is said in templates/. The page of a run that goes on is served by watch.py.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import jpeg_bytes, preview, read_preview
from nst.report.chart import make_chart, scales_of
from nst.report.status import DONE, FAILED, STOPPED, Entry
from nst.run.memory_plan import peak_mb
from nst.settings import Settings, describe, flag, option_of
from nst.system.atomic_files import read_text, written_aside
from nst.transfer.state import Step

if TYPE_CHECKING:
    from jinja2 import Environment

REPORT = "report.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
LARGEST_PX = 1024
SMALL_PX, THUMBNAIL_PX, TINY_PX, LEAST_PX = 420, 320, 224, 80
SNAPSHOT_PX = 256
MANY = 200  # pictures on a page, which are then TINY_PX
MOST_SNAPSHOTS = 24
MISSING = "missing"  # of a picture in any state but the other three
STATES = {DONE: "done", FAILED: "failed", STOPPED: "stopped", MISSING: "not made yet"}
UNREADABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
)  # in a name of a file: control characters, bytes of no text


@dataclass(frozen=True)
class Named:
    """An image and the name of its file."""

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Sources:
    """What a run is made from, and how many steps it is to have."""

    content: Named
    styles: tuple[Named, ...]
    steps: int


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


@dataclass(frozen=True)
class Shown:
    """A picture in a page: the text that tells what it shows, its file as a data URI, and its size in px."""

    alt: str
    source: Any  # markup, as it needs no escaping; empty where the page has it already, under `key`
    width: int
    height: int
    name: str = ""
    key: str = ""


def check_engine() -> None:
    """Raise UserError where the engine that makes pages is not installed."""
    if importlib.util.find_spec("jinja2") is None:
        raise UserError("--report: needs Jinja2; pip install -r requirements.txt, or give --no-report")


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
    with written_aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_batch_page(path: Path, title: str, entries: Sequence[Entry]) -> None:
    """Write the page of a batch, whole or not at all; of its pictures one at a time is in memory. Raises OSError."""
    states = [_state(entry) for entry in entries]
    page = environment().get_template("batch.html")
    stream = page.stream(
        title=title,
        made=datetime.now().astimezone(),
        counts={state: states.count(state) for state in STATES if state in states},
        seconds=sum(entry.seconds or 0 for entry in entries),
        cards=_cards(path.parent, entries),
        total=len(entries),
    )
    stream.enable_buffering(20)
    with written_aside(path) as temporary, temporary.open("wb") as file:
        stream.dump(file, encoding="utf-8")


@cache
def environment() -> Environment:
    """Return the engine with the project's templates. All that they are given is escaped."""
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=readable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (read_text(TEMPLATES / name) for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals.update(style=Markup(style), script=Markup(script), script_sha256=digest, state_words=STATES)
    made.filters["duration"] = duration
    return made


def readable(value: Any) -> Any:
    """Return a text as a page can hold it: whatever is no character, as in names of files, is replaced."""
    return UNREADABLE.sub("\ufffd", value) if type(value) is str else value


def duration(seconds: float) -> str:
    """Return a time in words that are short."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if seconds >= 3600 else f"{minutes} min {seconds % 60:.0f} s"


def embedded(alt: str, image: np.ndarray, long_side_px: int, *, name: str = "", rough: bool = False) -> Shown:
    """Return a picture as a page holds it, at most so large; `rough` where there are many."""
    from markupsafe import Markup

    small = preview(image, long_side_px)
    file = jpeg_bytes(small, quality=75, colours="4:2:0") if rough else jpeg_bytes(small)
    source = Markup("data:image/jpeg;base64," + base64.b64encode(file).decode())
    return Shown(alt, source, small.shape[1], small.shape[0], name)


def title_of(sources: Sources) -> tuple[str, list[str]]:
    """Return the names of the photo and of the styles without suffix."""
    return Path(sources.content.name).stem, [Path(style.name).stem for style in sources.styles]


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
            _setting_words(values[item.name]),
            _setting_words(default[item.name]),
            option_of(item).help,
            values[item.name] != default[item.name],
        )
        for item in fields(Settings)
        if item.name in values
    ]
    return sorted(told, key=lambda row: not row[-1])


def _setting_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "–"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _state(entry: Entry) -> str:
    """Return which of STATES an entry is in."""
    return entry.state if entry.state in STATES else MISSING


def _cards(folder: Path, entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Yield what the page shows of each entry. A picture that comes again is embedded but the first time.

    What an earlier run has left where the picture is to be is not shown: it is of other settings or inputs.
    """
    keys: dict[tuple[Path, int], Shown | None] = {}
    large_px = THUMBNAIL_PX if len(entries) <= MANY else TINY_PX

    def shown(path: Path, alt: str, long_side_px: int) -> Shown | None:
        place = path.absolute(), long_side_px
        if place in keys:
            return keys[place]
        found = _thumbnail(path, alt, long_side_px, key=f"p{len(keys)}")
        keys[place] = found and replace(found, source="")
        return found

    for entry in entries:
        state = _state(entry)
        yield {
            "entry": entry,
            "state": state,
            "settings": {flag(name): _setting_words(value) for name, value in entry.settings.items()},
            "content": shown(entry.content, "the photo", large_px),
            "styles": [shown(path, f"the style {path.name}", LEAST_PX) for path in entry.styles],
            "result": _thumbnail(entry.result, "the result", large_px) if state in (DONE, STOPPED) else None,
            "report": "" if state == MISSING else _link(folder, entry.folder),
        }


def _thumbnail(path: Path, alt: str, long_side_px: int, *, key: str = "") -> Shown | None:
    """Return a picture small, or None where there is none that can be read."""
    try:
        shown = embedded(alt, read_preview(path, long_side_px), long_side_px, name=path.name, rough=True)
    except (UserError, OSError):
        return None
    return replace(shown, key=key)


def _link(folder: Path, run: Path) -> str:
    """Return the relative link from a page in `folder` to the report of a run, or nothing where there is none."""
    if not (run / REPORT).is_file():
        return ""
    try:
        relative = os.path.relpath(run / REPORT, folder)
    except ValueError:  # another drive of Windows
        return ""
    return urllib.parse.quote(os.fsencode(relative.replace(os.sep, "/")))
