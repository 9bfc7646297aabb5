"""A contact sheet: pictures in rows and columns, each row and column with its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nst.batch.fonts import Font, font_for
from nst.errors import UserError
from nst.pictures.picture_files import levels_of, read_image, write_picture
from nst.pictures.resizing import resize, size_with_long_side
from nst.run.clip_names import is_video_name
from nst.video.clips import poster

CELL_PX = 256  # The long side of a picture on the sheet.
GAP_PX = 8
TEXT_PX = 18
LINE_PX = TEXT_PX + GAP_PX
TOP_PX = 2 * LINE_PX + GAP_PX  # The height of title and column labels.
LONGEST_ROW_LABEL_PX = 320
PAPER, INK, EMPTY_CELL = (255, 255, 255), (20, 20, 20), (235, 235, 235)


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: its title, its labels, and (row, column) -> the path of a picture, None where none is made."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], Path | None]


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Draw a contact sheet and write it. The cell of an unreadable picture stays grey. Raises OSError."""
    font = font_for("".join([sheet.title, *sheet.rows, *sheet.columns]), TEXT_PX)
    pictures = {cell: _read(there) for cell, there in sheet.cells.items() if there is not None}
    height = max((picture.height for picture in pictures.values() if picture), default=CELL_PX)
    width = max((picture.width for picture in pictures.values() if picture), default=CELL_PX)
    left = min(max(round(font.getlength(label)) for label in sheet.rows), LONGEST_ROW_LABEL_PX)
    left += 2 * GAP_PX if left else GAP_PX
    xs = [left + column * (width + GAP_PX) for column in range(len(sheet.columns))]
    ys = [TOP_PX + row * (height + GAP_PX) for row in range(len(sheet.rows))]
    page = Image.new("RGB", (left + len(xs) * (width + GAP_PX), TOP_PX + len(ys) * (height + GAP_PX)), PAPER)
    _draw_labels(page, sheet, font, xs, ys)
    for row, y in enumerate(ys):
        for column, x in enumerate(xs):
            _draw_cell(page, pictures.get((row, column)), font, (x, y, x + width - 1, y + height - 1))
    write_picture(path, np.asarray(page, np.float32) / 255)


def _draw_labels(page: Image.Image, sheet: Sheet, font: Font, xs: Sequence[int], ys: Sequence[int]) -> None:
    """Draw the title, the label of each column above it, and the label of each row on its left."""
    draw = ImageDraw.Draw(page)
    width = (page.width - xs[0]) // len(xs) - GAP_PX
    draw.text((GAP_PX, GAP_PX), _shortened(sheet.title, font, page.width - 2 * GAP_PX), INK, font)
    for x, label in zip(xs, sheet.columns, strict=True):
        draw.text((x, GAP_PX + LINE_PX), _shortened(label, font, width), INK, font)
    for y, label in zip(ys, sheet.rows, strict=True):
        draw.text((GAP_PX, y), _shortened(label, font, xs[0] - 2 * GAP_PX), INK, font)


def _draw_cell(page: Image.Image, picture: Image.Image | None, font: Font, box: tuple[int, int, int, int]) -> None:
    """Draw a picture into the top left corner of its cell, or a grey cell where there is no picture."""
    left, top, _, _ = box
    if picture:
        page.paste(picture, (left, top))
        return
    draw = ImageDraw.Draw(page)
    draw.rectangle(box, EMPTY_CELL)
    draw.text((left + GAP_PX, top + GAP_PX), "not made", INK, font)


def _read(path: Path) -> Image.Image | None:
    """Return a picture reduced or enlarged to a long side of CELL_PX, or None where it cannot be read.

    A video is shown by its first frame.
    """
    try:
        image = poster(path) if is_video_name(path) else read_image(path)
    except UserError:
        return None
    resized = resize(image, size_with_long_side(image.shape[:2], CELL_PX))
    return Image.fromarray(levels_of(resized))


def _shortened(label: str, font: Font, width: int) -> str:
    """Return a label, cut at its end where it is wider than `width` px."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…"
