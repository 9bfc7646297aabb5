"""TODO."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import jpeg_bytes, preview
from nst.report.status import DONE, FAILED, STOPPED
from nst.system.atomic_files import read_text

if TYPE_CHECKING:
    from jinja2 import Environment

REPORT = "report.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
LARGEST_PX = 1024
SMALL_PX, THUMBNAIL_PX, TINY_PX, LEAST_PX = 420, 320, 224, 80
MISSING = "missing"  # of a picture in any state but the other three
STATES = {DONE: "done", FAILED: "failed", STOPPED: "stopped", MISSING: "not made yet"}
UNREADABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
)  # in a name of a file: control characters, bytes of no text


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


def setting_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "–"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
