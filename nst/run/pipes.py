"""Pictures that come from pipes. A pipe can be read but once, so its bytes are first put into a temporary file."""

from __future__ import annotations

import functools
import shutil
import sys
from pathlib import Path
from typing import BinaryIO

from nst.errors import UserError
from nst.system.atomic_files import STDIN
from nst.system.temporary import temporary_folder


@functools.cache
def from_pipe(path: Path) -> Path:
    """Return a temporary file with the bytes of a pipe, the same for each picture that the pipe is for."""
    with path.open("rb") as pipe:
        return _copied(pipe, path.name)


@functools.cache
def from_stdin() -> Path:
    """Return a temporary file with the bytes of stdin. Raises UserError where these would be typed."""
    if sys.stdin.isatty():
        raise UserError(f"{STDIN}: stdin is the terminal; send a picture there, as in: - stone.jpg < photo.jpg")
    return _copied(sys.stdin.buffer, "stdin")


def _copied(pipe: BinaryIO, name: str) -> Path:
    """Return a temporary file of a name with all that a pipe gives. The file goes when the process ends."""
    copy = temporary_folder() / name
    with copy.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return copy
