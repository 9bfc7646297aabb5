"""A result for stdout: made in a temporary folder, and written to stdout as a PNG at the end."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nst.errors import UserError
from nst.run.request import STDOUT, Request
from nst.system.streams import write_stdout


@contextmanager
def result_on_stdout(request: Request) -> Iterator[Request]:
    """Yield a request for the same picture in a temporary folder; at the end, write that picture to stdout.

    A picture that was stopped goes to stdout as it is. Raises UserError where stdout is a terminal.
    """
    if sys.stdout.isatty():
        raise UserError(f"-o {STDOUT}: stdout is the terminal; send it to a file or to a program")
    settings = replace(request.settings, checkpoint_every=0.0, snapshot_every=0)
    with tempfile.TemporaryDirectory(prefix="neural_art_") as folder:
        path = Path(folder, "stdout.png")
        try:
            yield replace(request, output=path, settings=settings, report=False, plot=False)
        except KeyboardInterrupt as error:
            number, _, saved = (*error.args, None, None, None)[:3]
            words = "stdout has the picture so far" if saved else "the first step was not done yet"
            raise KeyboardInterrupt(number, words, None) from error
        finally:
            if path.exists():
                write_stdout(path.read_bytes())
