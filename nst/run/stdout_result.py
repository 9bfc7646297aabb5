"""A result for stdout: made in a temporary folder, and written to stdout as a PNG at the end."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nst.errors import RunError, UserError, os_error_reason
from nst.run.folder import first_free, result_name
from nst.run.request import STDOUT, Request
from nst.system.signals import deferred
from nst.system.streams import write_stdout
from nst.system.temporary import temporary_folder


@contextmanager
def result_on_stdout(request: Request) -> Iterator[Request]:
    """Yield a request for the same picture in a temporary folder; at the end, write that picture to stdout.

    A picture that was stopped goes to stdout as it is. Raises UserError where stdout is a terminal, and RunError with
    the path of the picture where stdout does not take all of it.
    """
    if sys.stdout.isatty():
        raise UserError(f"-o {STDOUT}: stdout is the terminal; send it to a file or to a program")
    path = temporary_folder() / "stdout.png"
    settings = replace(request.settings, checkpoint_every=0.0, snapshot_every=0)
    try:
        yield replace(request, output=path, settings=settings, report=False)
    except (KeyboardInterrupt, RunError) as error:
        if not path.exists():
            raise
        _write(path, request)
        if isinstance(error, RunError):
            raise RunError(str(error).replace(str(path), "stdout")) from error
        raise KeyboardInterrupt(error.args[0], "stdout has the picture so far", None) from error
    if path.exists():
        _write(path, request)


def _write(path: Path, request: Request) -> None:
    """Write a picture to stdout, or else to the current folder. Raises RunError in that case."""
    with deferred():
        lost = write_stdout(path.read_bytes())
        if lost is not None:
            saved = first_free(Path(f"{result_name(request.paths)}.png"))
            shutil.copy(path, saved)
            raise RunError(f"stdout: {os_error_reason(lost)}; the picture is saved as {saved}", saved)
