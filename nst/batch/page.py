"""The page of a batch: a card for each picture with its photo, styles, result, state and a link to its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nst.batch.sweep import Grid, Label
from nst.errors import UserError
from nst.options import flag, format_value
from nst.pictures.picture_files import preview, read_preview
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
from nst.video.clips import poster

MANY = 200  # A page with more pictures than this shows them with TINY_PX.


def write_batch_page(path: Path, title: str, statuses: Sequence[PictureStatus], grids: Sequence[Grid] = ()) -> None:
    """Write the page of a batch, whole or not at all, with one picture at a time in memory. Raises OSError.

    grids  of a sweep, all pictures among them; without any, the pictures are in a list
    """
    states = [_state(status) for status in statuses]
    cards = _Cards(path.parent, statuses)
    page = environment().get_template("batch.html")
    stream = page.stream(
        title=title,
        made=datetime.now().astimezone(),
        counts={state: states.count(state) for state in STATES if state in states},
        seconds=sum(status.seconds or 0 for status in statuses),
        cards=map(cards.card, range(0 if grids else len(statuses))),
        tables=(cards.table(grid) for grid in grids),
        total=len(statuses),
    )
    stream.enable_buffering(20)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        stream.dump(file, encoding="utf-8")


def _state(status: PictureStatus) -> str:
    """Return the state of a picture on the page, one of STATES."""
    return status.state if status.state in STATES else MISSING


class _Cards:
    """The cards of a batch's page in `folder`, made one by one. An input is embedded the first time that it occurs."""

    def __init__(self, folder: Path, statuses: Sequence[PictureStatus]) -> None:
        self.folder = folder
        self.statuses = statuses
        self.large_px = THUMBNAIL_PX if len(statuses) <= MANY else TINY_PX
        self.known: dict[tuple[Path, int], PagePicture | None] = {}

    def card(self, index: int) -> dict[str, Any]:
        """Return the card of a picture.

        A missing picture shows no result: a file of that name is of an earlier run, with other settings or inputs.
        """
        status = self.statuses[index]
        state = _state(status)
        made = state in (DONE, STOPPED)
        result = _thumbnail(status.result, "the result", self.large_px, clip=status.clip) if made else None
        content = None
        if not (status.clip and result):  # The first frames of a clip and of its result may be of different moments.
            content = self._input(status.content, "the photo", self.large_px, clip=status.clip)
        return {
            "number": index + 1,
            "status": status,
            "state": state,
            "settings": {flag(name): format_value(value) for name, value in status.settings.items()},
            "content": content,
            "styles": self._styles(status),
            "result": result,
            "report": "" if state == MISSING else relative_link(status.folder / REPORT, self.folder),
            "file": relative_link(status.result, self.folder) if made else "",
        }

    def table(self, grid: Grid) -> dict[str, Any]:
        """Return a grid with its rows, whose cards are made when the page comes to them, and the styles of all cards.

        Where the styles are swept, the grid has none of its own.
        """
        first, *others = [self.statuses[index] for index in grid.cells.values()]
        same = all(status.styles == first.styles for status in others)
        rows = ((label, self._row(grid, row)) for row, label in enumerate(grid.rows))
        return {"grid": grid, "styles": self._styles(first) if same else [], "rows": rows}

    def _row(self, grid: Grid, row: int) -> Iterator[tuple[Label, dict[str, Any] | None]]:
        """Yield the label of each column and the card of this row there, None where the sweep makes no picture."""
        for column, label in enumerate(grid.columns):
            index = grid.cells.get((row, column))
            yield label, None if index is None else self.card(index)

    def _styles(self, status: PictureStatus) -> list[PagePicture | None]:
        return [self._input(path, f"the style {path.name}", LEAST_PX) for path in status.styles]

    def _input(self, path: Path, alt: str, long_side_px: int, *, clip: bool = False) -> PagePicture | None:
        place = path.absolute(), long_side_px
        if place in self.known:
            return self.known[place]
        found = _thumbnail(path, alt, long_side_px, key=f"p{len(self.known)}", clip=clip)
        self.known[place] = found and replace(found, source="")
        return found


def _thumbnail(path: Path, alt: str, long_side_px: int, *, key: str = "", clip: bool = False) -> PagePicture | None:
    """Return a reduced picture, of a clip its first frame, or None where there is no readable picture."""
    try:
        image = preview(poster(path), long_side_px) if clip else read_preview(path, long_side_px)
        shown = embedded(alt, image, long_side_px, name=path.name, rough=True)
    except (UserError, OSError):
        return None
    return replace(shown, key=key)
