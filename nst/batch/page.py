"""The page of a batch: a card for each picture with its photo, styles, result, state and a link to its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nst.errors import UserError
from nst.options import flag, format_value
from nst.pictures.picture_files import read_preview
from nst.report.pages import (
    LEAST_PX,
    REPORT,
    STATES,
    THUMBNAIL_PX,
    TINY_PX,
    PagePicture,
    embedded,
    environment,
    relative_link,
)
from nst.report.status import DONE, MISSING, STOPPED, PictureStatus
from nst.system.atomic_files import atomic_write

MANY = 200  # A page with more pictures than this shows them with TINY_PX.


def write_batch_page(path: Path, title: str, statuses: Sequence[PictureStatus]) -> None:
    """Write the page of a batch, whole or not at all, with one picture at a time in memory. Raises OSError."""
    states = [_state(status) for status in statuses]
    page = environment().get_template("batch.html")
    stream = page.stream(
        title=title,
        made=datetime.now().astimezone(),
        counts={state: states.count(state) for state in STATES if state in states},
        seconds=sum(status.seconds or 0 for status in statuses),
        cards=_cards(path.parent, statuses),
        total=len(statuses),
    )
    stream.enable_buffering(20)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        stream.dump(file, encoding="utf-8")


def _state(status: PictureStatus) -> str:
    """Return the state of a picture on the page, one of STATES."""
    return status.state if status.state in STATES else MISSING


def _cards(folder: Path, statuses: Sequence[PictureStatus]) -> Iterator[dict[str, Any]]:
    """Yield the card of each picture. An input that occurs several times is embedded only the first time.

    A missing picture shows no result: a file of that name is of an earlier run, with other settings or inputs.
    """
    known: dict[tuple[Path, int], PagePicture | None] = {}
    large_px = THUMBNAIL_PX if len(statuses) <= MANY else TINY_PX

    def shown(path: Path, alt: str, long_side_px: int) -> PagePicture | None:
        place = path.absolute(), long_side_px
        if place in known:
            return known[place]
        found = _thumbnail(path, alt, long_side_px, key=f"p{len(known)}")
        known[place] = found and replace(found, source="")
        return found

    for status in statuses:
        state = _state(status)
        yield {
            "status": status,
            "state": state,
            "settings": {flag(name): format_value(value) for name, value in status.settings.items()},
            "content": shown(status.content, "the photo", large_px),
            "styles": [shown(path, f"the style {path.name}", LEAST_PX) for path in status.styles],
            "result": _thumbnail(status.result, "the result", large_px) if state in (DONE, STOPPED) else None,
            "report": "" if state == MISSING else relative_link(status.folder / REPORT, folder),
            "file": relative_link(status.result, folder) if state in (DONE, STOPPED) else "",
        }


def _thumbnail(path: Path, alt: str, long_side_px: int, *, key: str = "") -> PagePicture | None:
    """Return a reduced picture, or None where there is no readable picture."""
    try:
        shown = embedded(alt, read_preview(path, long_side_px), long_side_px, name=path.name, rough=True)
    except (UserError, OSError):
        return None
    return replace(shown, key=key)
