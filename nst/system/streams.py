"""The standard streams: the work goes on when nobody reads them any more. And silence for native code."""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from nst.system.temporary import remove_temporary_folders

READER_GONE = (errno.EPIPE, errno.EINVAL)  # The number of the error of a pipe without a reader; the latter on Windows.
STDERR = threading.RLock()  # Two threads that silence stderr at the same time would leave it silent.


class Channel:
    """A text stream that may be lost, such as a pipe without a reader or a log on a full disk.

    The first write that fails leads the stream to nowhere, also for native code. Characters that the stream's encoding
    lacks are written with backslashes.

    lost  the reason for which the stream was lost, else None
    copy  another number of the stream's file, which stays what it was where native code is silenced, or None
    """

    def __init__(self, stream: TextIO, copy: int | None = None) -> None:
        self._stream = stream
        self.copy = copy
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            return self.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self.lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what waits, or drop it."""
        try:
            self._stream.flush()
        except OSError as error:
            self.lose(error)

    def lose(self, error: OSError) -> None:
        """Lead the stream to nowhere."""
        if isinstance(error, BlockingIOError):  # A slow reader loses a line, not the stream.
            return
        self.lost = self.lost or error
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()  # What waits would fail again at the end of the process.

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def keep_streams() -> None:
    """Make stdin, stdout and stderr exist for the whole process, and make it outlive the loss of the latter two.

    To be called before any file is opened: a file would get the number of a stream that is closed, and then the
    messages of native code.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # This takes the least free number.
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        stream = os.fdopen(number, "w", encoding="utf-8") if stream is None else stream
        setattr(sys, name, Channel(stream, os.dup(number)))
    if sys.stdin is None:
        sys.stdin = os.fdopen(0)


def renew_streams() -> None:
    """Renew stdout and stderr in the middle of a write to the old ones, where a signal has come."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        copy = getattr(stream, "copy", None) or number
        setattr(sys, name, Channel(os.fdopen(os.dup(copy), "w", encoding=stream.encoding)))


def end_process(code: int) -> NoReturn:
    """Write what waits for stdout and stderr and end the process, without a way back through native code."""
    remove_temporary_folders()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def write_stdout(payload: bytes) -> OSError | None:
    """Write bytes to stdout, all of them, however slow the reader is; return the error where that fails, or None."""
    left = memoryview(payload)
    try:
        sys.stdout.flush()
        while left:
            try:
                left = left[os.write(sys.stdout.fileno(), left) :]
            except BlockingIOError:
                select.select([], [sys.stdout.fileno()], [])
    except OSError as error:
        return error
    return None


def stdout_lost() -> OSError | None:
    """Write what waits for stdout and return the reason for which it was lost, or None."""
    sys.stdout.flush()
    return getattr(sys.stdout, "lost", None)


@contextmanager
def silenced(*, verbose: bool) -> Iterator[None]:
    """Discard all that is written to stderr, also by native code, unless `verbose`. Exceptions pass as always."""
    if verbose:
        yield
        return
    with STDERR:
        saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)
