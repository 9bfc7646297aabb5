#!/usr/bin/env python3
"""Redraw every sample photo in every sample style, judge the results, and put them on one contact sheet.

    python benchmarks/samples.py FOLDER [neural_art.py's options]

Pictures that are already in FOLDER are judged and shown, but not made again.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

import neural_art  # noqa: E402

CONTENTS = ("astronaut", "berlin_cathedral", "castle", "cat", "macaw")
STYLES = ("cafe_terrace", "church_at_auvers", "engraving", "stained_glass", "starry_night", "stone")
CELL_PX = 240
MARGIN_PX = 4


def sample(name: str) -> Path:
    """Return the path of a sample picture."""
    return PROJECT / "images" / f"{name}.jpg"


def make_missing(folder: Path, options: list[str]) -> None:
    """Make the pictures that are not in the folder yet."""
    for content in CONTENTS:
        for style in STYLES:
            result = folder / f"{content}_{style}.png"
            if not result.exists():
                code = neural_art.main([str(sample(content)), str(sample(style)), "-o", str(result), *options])
                if code:
                    sys.exit(code)


def judge_all(folder: Path) -> None:
    """Print the measures of all pictures."""
    from judge import Judge  # The import starts TensorFlow, which the command sets up first.

    judge, verdicts = Judge(), {}
    print("style  content  grain")
    for content in CONTENTS:
        for style in STYLES:
            verdict = judge.verdict(sample(content), sample(style), folder / f"{content}_{style}.png")
            verdicts[content, style] = verdict
            print(f"{verdict.style:.3f}  {verdict.content:7.3f}  {verdict.grain:5.2f}  {content} x {style}", flush=True)
    for name in ("style", "content", "grain"):
        values = [getattr(verdict, name) for verdict in verdicts.values()]
        print(f"{name}: mean {np.mean(values):.3f}, largest {max(values):.3f}")


def contact_sheet(folder: Path, path: Path) -> None:
    """Write a sheet of the results: a row for each photo, a column for each style, and the originals at the edges."""
    columns, rows = 1 + len(STYLES), 1 + len(CONTENTS)
    sheet = Image.new("RGB", (columns * CELL_PX, rows * CELL_PX), "white")
    cells = {(0, column): sample(style) for column, style in enumerate(STYLES, start=1)}
    for row, content in enumerate(CONTENTS, start=1):
        cells[row, 0] = sample(content)
        for column, style in enumerate(STYLES, start=1):
            cells[row, column] = folder / f"{content}_{style}.png"
    for (row, column), source in cells.items():
        with Image.open(source) as picture:
            small = picture.convert("RGB")
            small.thumbnail((CELL_PX - MARGIN_PX, CELL_PX - MARGIN_PX), Image.Resampling.LANCZOS)
        left = column * CELL_PX + (CELL_PX - small.width) // 2
        top = row * CELL_PX + (CELL_PX - small.height) // 2
        sheet.paste(small, (left, top))
    ImageDraw.Draw(sheet).text((10, CELL_PX // 2), "photos below,\nstyles to the right", fill="black")
    sheet.save(path, quality=88)


def main() -> None:
    """Make and judge the pictures, and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    arguments, options = parser.parse_known_args()
    make_missing(arguments.folder, options)
    judge_all(arguments.folder)
    contact_sheet(arguments.folder, arguments.folder / "contact_sheet.jpg")


if __name__ == "__main__":
    main()
