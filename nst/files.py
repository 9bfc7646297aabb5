"""Files appear whole or not at all: written aside, then renamed. And whether one can be written, before work starts."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nst.errors import UserError


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it onto `path` at the end, or remove it after an error.

    An OSError, as of a full disk, leaves with the name of `path`.
    """
    temporary = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    with written_aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_writable(path: Path) -> None:
    """Raise UserError unless a file can be made at `path`. Makes its folder, touches nothing that is there."""
    folder = path.parent
    try:
        if path.is_dir():  # raises where the name is too long
            raise UserError(f"{path}: is a folder; name a file in it")
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{uuid.uuid4().hex}.part"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}; choose another with -o") from error


def first_free(path: Path) -> Path:
    """Return `path`, or the first of name_2, name_3, ... for which neither file nor folder of a run exists."""
    candidate, number = path, 1
    while candidate.exists() or candidate.with_suffix("").exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}_{number}")
    return candidate
