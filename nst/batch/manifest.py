"""The manifest of a batch, batch.jsonl in its folder: the state of each picture. Lines are only ever added.

A reader passes over a line that a kill has cut short; the next line added starts on a line of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from nst.system.atomic_files import file_sha256

NAME = "batch.jsonl"
# The type of each fact of a picture that its line may hold.
FACTS = {"state": str, "error": str, "wanted": str, "key": str, "settings": dict, "inputs": dict}
SETTLED_NS = 2_000_000_000  # A file changed within this time may change again without a new time of change.


@dataclass
class Manifest:
    """The state of a batch's pictures and the SHA-256 of its files.

    jobs    name of the result -> the facts in its lines together; a later line wins
    files   hashed_name of a path -> size in bytes, time of change in ns, SHA-256
    hashed  the names in `files` that batch.jsonl does not hold yet
    page    a hash of the statuses on the batch's page; empty while the page is being written, None without a page
    """

    folder: Path
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    hashed: list[str] = field(default_factory=list)
    page: str | None = None

    def sha256(self, path: Path) -> str | None:
        """Return a file's SHA-256, or None for an unreadable file. A file of known size and time is not read again."""
        name = hashed_name(path)
        try:
            found = path.stat()
            if name in self.files and self.files[name][:2] == (found.st_size, found.st_mtime_ns):
                return self.files[name][2]
            digest = file_sha256(path)
        except (OSError, ValueError):
            return None
        self.files[name] = (found.st_size, found.st_mtime_ns, digest)
        if time.time_ns() - found.st_mtime_ns > SETTLED_NS:
            self.hashed.append(name)
        return digest

    def note(self, name: str, **facts: Any) -> None:
        """Add a line for a picture. Raises OSError."""
        self._add([{"job": name, **facts}])
        self.jobs.setdefault(name, {}).update(facts)

    def note_page(self, shown: str) -> None:
        """Add a line for the batch's page. Raises OSError."""
        self._add([{"page": shown}])
        self.page = shown

    def keep_hashes(self) -> None:
        """Add a line for each newly hashed file. Raises OSError."""
        keys = ("file", "bytes", "mtime_ns", "sha256")
        self._add([dict(zip(keys, (name, *self.files[name]), strict=True)) for name in self.hashed])
        self.hashed.clear()

    def _add(self, lines: Sequence[Mapping[str, Any]]) -> None:
        if not lines:
            return
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with (self.folder / NAME).open("ab+") as file:
            if file.seek(0, os.SEEK_END) > 0:
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else "\n" + text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest in a folder, empty for a new batch. Raises OSError."""
    manifest = Manifest(folder)
    path = folder / NAME
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for line in lines:
        with suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
            _take_line(manifest, json.loads(line))
    return manifest


def _take_line(manifest: Manifest, facts: dict[str, Any]) -> None:
    """Take the facts of a line. Raises some error for a line that is not this program's."""
    if "file" in facts:
        size, changed = facts["bytes"], facts["mtime_ns"]
        if type(size) is type(changed) is int and re.fullmatch("[0-9a-f]{64}", facts["sha256"]):
            manifest.files[str(facts["file"])] = (size, changed, facts["sha256"])
    elif "page" in facts:
        manifest.page = str(facts["page"])
    else:
        name = facts.pop("job")
        if isinstance(name, str) and all(_is_fact(key, value) for key, value in facts.items()):
            manifest.jobs.setdefault(name, {}).update(facts)


def hashed_name(path: Path) -> str:
    """Return a name for a path of this machine that does not tell the path, as the manifest may be shared."""
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]


def is_inside(name: str) -> bool:
    """Return whether a name is of a file in the batch's folder. No manifest may lead the program to any other place."""
    path = PurePath(name)
    return bool(path.name) and not path.is_absolute() and not path.drive and ".." not in path.parts and "\0" not in name


def is_whole(result: Path) -> bool:
    """Return whether a result is there and has any bytes: a crash of the machine may leave a name alone."""
    return result.is_file() and result.stat().st_size > 0


def _is_fact(key: str, value: Any) -> bool:
    """Return whether a value is of the type that the program writes for a key; of other keys, any is."""
    if value is None:
        return True
    if key == "seconds":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if key == "identity":
        return isinstance(value, list) and all(isinstance(name, str) for name in value)
    return isinstance(value, FACTS.get(key, object))
