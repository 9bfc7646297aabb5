"""What all pages have in common: the template engine, embedded pictures, and how times and settings are worded."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import urllib.parse
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import jpeg_bytes, preview
from nst.report.status import DONE, FAILED, MISSING, STOPPED
from nst.system.atomic_files import read_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

REPORT = "report.html"  # The file name of a page, in the folder of a run and in that of a batch.
RECORD = "settings.json"  # The file name of a run's record, beside its page.
TEMPLATES = Path(__file__).resolve().parent / "templates"
SCRIPTS = (
    "page.js",
    "chart.js",
    "large_view.js",
    "batch.js",
)  # The scripts of every page, in the order in which they run.
LARGEST_PX = 1024  # The long side of the largest picture on a page.
SMALL_PX, THUMBNAIL_PX, TINY_PX, LEAST_PX = 420, 320, 224, 80  # Other long sides, for pictures side by side.
STATES = {DONE: DONE, FAILED: FAILED, STOPPED: STOPPED, MISSING: "not made yet"}  # The states on a page, in words.
UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # Control characters, and bytes that are no text.


@dataclass(frozen=True)
class PagePicture:
    """A picture on a page.

    alt            the text for those who cannot see the picture
    source         the file as a data URI; empty where the page has the picture already, under the same key
    width, height  in px
    name           of the picture's file
    key            the id of the picture within the page; empty for a picture that is shown once
    """

    alt: str
    source: Markup | str
    width: int
    height: int
    name: str = ""
    key: str = ""


def check_engine() -> None:
    """Raise UserError where the template engine is not installed."""
    if importlib.util.find_spec("jinja2") is None:
        raise UserError("--report: needs Jinja2; pip install -r requirements.txt, or give --no-report")


@cache
def environment() -> Environment:
    """Return the template engine with the project's templates. All values are escaped."""
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
    style, script = read_text(TEMPLATES / "page.css"), "".join(read_text(TEMPLATES / name) for name in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals.update(style=Markup(style), script=Markup(script), script_sha256=digest, state_words=STATES)
    made.filters["duration"] = duration
    return made


def readable(value: Any) -> Any:
    """Return a text with its unreadable characters replaced, and any other value as it is."""
    return UNREADABLE.sub("\ufffd", value) if type(value) is str else value


def duration(seconds: float) -> str:
    """Return a time in a few words, such as "3 min 12 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if seconds >= 3600 else f"{minutes} min {seconds % 60:.0f} s"


def relative_link(path: Path, folder: Path) -> str:
    """Return the relative link from a page in `folder` to a file, or "" where there is no such file."""
    if not path.is_file():
        return ""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # On Windows, the file is on another drive.
        return ""
    return urllib.parse.quote(os.fsencode(relative.replace(os.sep, "/")))


def embedded(alt: str, image: np.ndarray, long_side_px: int, *, name: str = "", rough: bool = False) -> PagePicture:
    """Return a picture for a page, reduced to a long side of at most `long_side_px`.

    rough  whether the file may lose detail, for a page with many pictures
    """
    from markupsafe import Markup

    small = preview(image, long_side_px)
    payload = jpeg_bytes(small, quality=75, subsampling="4:2:0") if rough else jpeg_bytes(small)
    source = Markup("data:image/jpeg;base64," + base64.b64encode(payload).decode())
    return PagePicture(alt, source, small.shape[1], small.shape[0], name=name)
