"""TODO."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = threading.RLock()  # two threads that silence it at once would leave it silent


@contextmanager
def silenced(*, verbose: bool) -> Iterator[None]:
    """Keep what native code prints from stderr, unless `verbose`. Python's exceptions pass as always."""
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
