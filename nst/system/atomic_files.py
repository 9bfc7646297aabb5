"""Files appear whole or not at all: written aside, then renamed. And whether one can be written, before work starts.

Text and TOML are read with what is wrong in words, and a file's hash says whether it is still the same.
"""

import contextlib
import errno
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nst.errors import UserError, os_error_reason

try:
    import fcntl
except ImportError:  # Windows, where folders cannot be locked
    fcntl = None  # type: ignore[assignment]

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


LONGEST_NAME = 100  # of a file, in the name of what is written aside of it


@contextmanager
def atomic_write(path: Path, *, before: Path | None = None) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it onto `path` at the end, or remove it after an error.

    before  what to rename the file to that is at `path` now, if any

    The new file is on the disk before it gets its name, so that a power cut leaves the old one or the new one. An
    OSError, as of a full disk, leaves with the name of `path`.
    """
    temporary = _aside(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if before and path.exists():
            path.replace(before)
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):  # of a folder that has vanished, or that cannot be read any more
            temporary.unlink(missing_ok=True)


def remove_parts(path: Path) -> None:
    """Remove what a killed run left half-written of one file. Only for who alone writes it."""
    for found in list(path.parent.iterdir()):
        if found.name.startswith(f".{path.name[:LONGEST_NAME]}.") and found.suffix == ".part":
            found.unlink(missing_ok=True)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a run's folder, which no other run holds meanwhile. Raises UserError. Ends with the process, if not before.

    On Windows, and on disks without locks, there is no such guard.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: another run is at work there; wait for it, or give another -o") from None
        except OSError:
            pass
        yield
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Write a JSON object for people to read, whole or not at all."""
    write_text(path, json.dumps(fields, indent=2) + "\n")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without its byte order mark. Raises UserError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; name a file in it") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text, at byte {error.start + 1}; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {os_error_reason(error)}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds. Raises UserError, with the line and column where it is broken."""
    return parse_toml(path, read_text(path))


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Return the values in the text of a TOML file. Raises UserError as read_toml does."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a broken file; a number of thousands of digits; lists in lists
        raise UserError(f"{path}: is not TOML: {error}") from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_writable(path: Path, *, dry_run: bool = False) -> None:
    """Raise UserError unless a file can be made at `path`. Makes its folder, touches nothing that is there.

    dry_run  whether to make nothing either, and believe what the permissions say
    """
    try:
        if path.is_dir():  # raises where the name is too long
            raise UserError(f"{path}: is a folder; name a file in it")
        if dry_run:
            _check_permission(path.parent)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = _aside(path)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {os_error_reason(error)}; choose another with -o") from error


def _check_permission(folder: Path) -> None:
    """Raise OSError unless files may be made in a folder, or where it is missing, in the nearest above it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _aside(path: Path) -> Path:
    return path.parent / f".{path.name[:LONGEST_NAME]}.{uuid.uuid4().hex}.part"
