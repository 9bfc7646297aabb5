"""The names of clips: videos by their suffix, and numbered pictures by a pattern such as frames/%04d.png."""

from __future__ import annotations

import re
from pathlib import Path

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
NUMBERED = re.compile(r"%0?\d*d")


def is_clip_name(path: Path) -> bool:
    """Return whether a name is that of a video or a pattern of numbered pictures."""
    return is_video_name(path) or is_numbered(path)


def is_video_name(path: Path) -> bool:
    """Return whether a name is that of a video."""
    return path.suffix.lower() in VIDEOS


def is_numbered(path: Path) -> bool:
    """Return whether a name is a pattern of numbered pictures. A file may be named like one, and is none."""
    return bool(NUMBERED.search(path.name)) and not path.is_file()


def numbered_files(pattern: Path) -> list[Path]:
    """Return the files of a pattern such as frames/%04d.png, by their numbers; none where no file has such a name."""
    before, after = NUMBERED.split(pattern.name, maxsplit=1)
    names = re.compile(f"{re.escape(before)}(\\d+){re.escape(after)}")
    try:
        matches = [(names.fullmatch(path.name), path) for path in pattern.parent.iterdir()]
    except OSError:
        return []
    found = {int(match[1]): path for match, path in matches if match}
    return [found[number] for number in sorted(found)]


def stem_of(path: Path) -> str:
    """Return the name of an input without its suffix: of numbered pictures what is before the number, or the folder."""
    if not is_numbered(path):
        return path.stem
    before = NUMBERED.split(path.name, maxsplit=1)[0].rstrip(" ._-")
    return before or path.absolute().parent.name or "frames"
