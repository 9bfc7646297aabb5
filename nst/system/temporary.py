"""Temporary folders that go when the process ends, in whichever way it ends that it can know of."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


def temporary_folder() -> Path:
    """Return a new folder."""
    folder = Path(tempfile.mkdtemp(prefix="neural_art_"))
    _folders().append(folder)
    return folder


def remove_temporary_folders() -> None:
    """Remove all of these folders."""
    while _folders():
        shutil.rmtree(_folders().pop(), ignore_errors=True)


@cache
def _folders() -> list[Path]:
    """Return the folders that are there; the first call sees to their end."""
    atexit.register(remove_temporary_folders)
    return []
