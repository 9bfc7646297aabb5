"""TODO."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nst.errors import UserError
from nst.pictures.picture_files import read_preview
from nst.report.pages import (
    LEAST_PX,
    MISSING,
    REPORT,
    STATES,
    THUMBNAIL_PX,
    TINY_PX,
    Shown,
    embedded,
    environment,
    setting_words,
)
from nst.report.status import DONE, STOPPED, Entry
from nst.settings import flag
from nst.system.atomic_files import atomic_write

MANY = 200  # pictures on a page, which are then TINY_PX


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
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        stream.dump(file, encoding="utf-8")


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
            "settings": {flag(name): setting_words(value) for name, value in entry.settings.items()},
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
