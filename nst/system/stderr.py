"""Silence for native code that prints to stderr, past Python."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = threading.RLock()  # Two threads that silence stderr at the same time would leave it silent.


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
