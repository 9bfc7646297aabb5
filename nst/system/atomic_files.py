"""Files: written whole or not at all, and checked for that before the work starts; text and TOML read; hashes.

A file is written aside, under another name in the same folder, and then renamed.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import sys
import time
import uuid
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nst.errors import UserError, os_error_reason

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WINDOWS = os.name == "nt"
# A name that no file has on Windows: of a device, or with a character that stands for something else.
UNFIT_ON_WINDOWS = re.compile(r'(con|prn|aux|nul|(com|lpt)[1-9])(\.|$)|.*[<>:"|?*]', re.IGNORECASE)
SECONDS_IN_USE = 2.0  # The longest wait on Windows for a program that reads the file to be replaced.
LOCK = ".lock"  # The file that is locked on Windows, where a folder cannot be. The file goes at the end of the run.
LARGEST_TEXT = 2**26  # The most bytes of a text: a pipe may have no end.
HASHED_BYTES = 2**20  # The bytes of a file that are in memory while it is hashed.
STDIN = "-"  # The name that stands for stdin.
LONGEST_NAME = 100  # The most characters of a file's name that are repeated in the name of its part.


@contextmanager
def atomic_write(path: Path, *, before: Path | None = None) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it onto `path` at the end, or remove it after an error.

    before  the new name for the old file at `path`, if the old file is to be kept

    Of a symbolic link, the file that it points to is written. A new file has the permissions of the old one. It is on
    the disk before it gets its name, so that after a power cut either the old file or the new file is there. An
    OSError, such as that of a full disk, carries the name of `path`.
    """
    path = _through_links(path)
    temporary = _aside(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            if before:
                _rename(path, before)
        _rename(temporary, path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):  # The folder may have vanished.
            temporary.unlink(missing_ok=True)


def _rename(path: Path, new: Path) -> None:
    """Rename a file onto another one. Windows refuses that while a program reads either, such as a virus scanner."""
    until = time.monotonic() + SECONDS_IN_USE
    while True:
        try:
            path.replace(new)
        except PermissionError:
            if not WINDOWS or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def remove_parts(path: Path) -> None:
    """Remove the parts of a file that a killed run left. Only for the one process that writes the file."""
    path = _through_links(path)
    for found in list(path.parent.iterdir()):
        if found.name.startswith(f".{path.name[:LONGEST_NAME]}.") and found.suffix == ".part":
            found.unlink(missing_ok=True)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder. Raises UserError if another run holds it.

    The lock ends with the process at the latest. Disks without locks have no such guard.
    """
    handle = _locked(folder)
    try:
        yield
    finally:
        os.close(handle)
        if not fcntl:
            with contextlib.suppress(OSError):  # Another process may have opened it meanwhile.
                (folder / LOCK).unlink()


def _locked(folder: Path) -> int:
    """Return the handle of a folder, on Windows of a file in it, that is open and locked. Raises UserError."""
    handle = os.open(folder, os.O_RDONLY) if fcntl else os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except (BlockingIOError, PermissionError):
        os.close(handle)
        raise UserError(at_work(folder)) from None
    except OSError:  # A disk without locks.
        pass
    return handle


def at_work(folder: Path) -> str:
    """Return the words for a folder that another run holds."""
    return f"{folder}: another run is at work there; wait for it, or give another -o"


def is_locked(folder: Path) -> bool:
    """Return whether a run holds the lock of a folder. Nobody can tell on disks without locks."""
    if not fcntl and not (folder / LOCK).exists():
        return False
    try:
        with folder_lock(folder):
            return False
    except UserError:
        return True
    except OSError:  # The folder has vanished, or may not be opened.
        return False


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Write a JSON object for people to read, whole or not at all."""
    write_text(path, json.dumps(fields, indent=2) + "\n")


def read_text(path: Path) -> str:
    """Return the text of a file or of stdin, in UTF-8, or in UTF-16 with a byte order mark, without that mark.

    Raises UserError.
    """
    try:
        if path.is_char_device() or path.is_block_device():
            raise UserError(f"{path}: is a device; name a file")
        if path.is_dir():
            raise UserError(f"{path}: is a folder; name a file in it")
        with contextlib.nullcontext(sys.stdin.buffer) if str(path) == STDIN else path.open("rb") as file:
            payload = file.read(LARGEST_TEXT + 1)
        if len(payload) > LARGEST_TEXT:
            raise UserError(f"{path}: is no text of this program, as it has more than {LARGEST_TEXT:,} bytes")
        return payload.decode("utf-16" if payload.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text, at byte {error.start + 1}; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {os_error_reason(error)}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values in a TOML file. Raises UserError that names the line and column of a fault."""
    return parse_toml(path, read_text(path))


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Return the values in the text of a TOML file. Raises UserError as read_toml does."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a fault; a number of thousands of digits; too many lists in lists
        raise UserError(f"{path}: is not TOML: {error}") from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while payload := file.read(HASHED_BYTES):
            digest.update(payload)
    return digest.hexdigest()


def check_writable(path: Path, *, dry_run: bool = False) -> None:
    """Raise UserError unless a file can be written at `path`. Makes the folder, but changes no file.

    dry_run  whether to make nothing at all and to trust the permissions
    """
    if WINDOWS and UNFIT_ON_WINDOWS.match(path.name):
        raise UserError(f"{path}: no file can have such a name on Windows; choose another with -o")
    try:
        if path.is_dir():  # raises an OSError if the name is too long
            raise UserError(f"{path}: is a folder; name a file in it")
        target = _through_links(path)
        if dry_run:
            _check_permission(target.parent)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = _aside(target)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {os_error_reason(error)}; choose another with -o") from error


def _check_permission(folder: Path) -> None:
    """Raise OSError unless files may be made in a folder, or in the nearest folder above it that exists."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _through_links(path: Path) -> Path:
    """Return the file that a symbolic link points to, also one that is not there yet; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _aside(path: Path) -> Path:
    """Return a new name for a part of a file, beside the file."""
    return path.parent / f".{path.name[:LONGEST_NAME]}.{uuid.uuid4().hex}.part"
