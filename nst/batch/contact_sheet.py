"""A contact sheet: pictures in rows and columns, each with its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst.errors import UserError
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize, size_with_long_side

CELL_PX = 256
GAP_PX = 8
TEXT_PX = 18
LONGEST_ROW_LABEL_PX = 320
PAPER, INK, MISSING = (255, 255, 255), (20, 20, 20), (235, 235, 235)


@dataclass(frozen=True)
class Sheet:
    """What a contact sheet shows: `cells` has (row, column) -> a picture's path, or None where there is none."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], Path | None]


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Draw a contact sheet and write it. A picture that cannot be read leaves its cell grey. Raises OSError."""
    font = ImageFont.load_default(TEXT_PX)
    pictures = {cell: _read(there) for cell, there in sheet.cells.items() if there is not None}
    height = max((picture.height for picture in pictures.values() if picture), default=CELL_PX)
    width = max((picture.width for picture in pictures.values() if picture), default=CELL_PX)
    left = min(max(round(font.getlength(label)) for label in sheet.rows), LONGEST_ROW_LABEL_PX)
    left += 2 * GAP_PX if left else GAP_PX
    line = TEXT_PX + GAP_PX
    top = 2 * line + GAP_PX
    page = Image.new(
        "RGB",
        (left + len(sheet.columns) * (width + GAP_PX), top + len(sheet.rows) * (height + GAP_PX)),
        PAPER,
    )
    draw = ImageDraw.Draw(page)
    draw.text((GAP_PX, GAP_PX), _shortened(sheet.title, font, page.width - 2 * GAP_PX), INK, font)
    for column, label in enumerate(sheet.columns):
        x = left + column * (width + GAP_PX)
        draw.text((x, GAP_PX + line), _shortened(label, font, width), INK, font)
    for row, label in enumerate(sheet.rows):
        y = top + row * (height + GAP_PX)
        draw.text((GAP_PX, y), _shortened(label, font, left - 2 * GAP_PX), INK, font)
        for column in range(len(sheet.columns)):
            x = left + column * (width + GAP_PX)
            picture = pictures.get((row, column))
            if picture:
                page.paste(picture, (x, y))
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), MISSING)
                draw.text((x + GAP_PX, y + GAP_PX), "not made", INK, font)
    write_picture(path, np.asarray(page, np.float32) / 255)


def _read(path: Path) -> Image.Image | None:
    """Return a picture as it fits into a cell, or None where it cannot be read."""
    try:
        image = read_image(path)
    except UserError:
        return None
    small = resize(image, size_with_long_side(image.shape[:2], CELL_PX))
    return Image.fromarray((small.clip(0, 1) * 255).round().astype(np.uint8))


def _shortened(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Return a label, cut at its end where it is wider than `width` px."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…"
