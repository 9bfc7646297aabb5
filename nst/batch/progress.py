"""TODO."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from nst.errors import one_line
from nst.report.progress import print_address, print_json_line
from nst.report.status import FAILED, STARTED, STOPPED, Entry


class BatchProgress:
    """Show what becomes of each picture of a batch as a line, with the time left.

    pictures  to be made in this call
    kind      as of Progress; quiet shows failures and warnings
    """

    def __init__(self, pictures: int, stream: TextIO | None = None, *, kind: str = "text") -> None:
        self.pictures = pictures
        self.stream = stream or sys.stderr
        self.kind = kind
        self.ended = 0
        self.started = time.monotonic()

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest will take at the pace so far, or None where that is not known yet."""
        return (time.monotonic() - self.started) / self.ended * (self.pictures - self.ended) if self.ended else None

    def announce(self, url: str) -> None:
        """Tell where the batch can be watched."""
        print_address(self.stream, self.kind, url)

    def begin(self, name: str) -> None:
        """Note that a picture has been handed out."""
        if self.kind == "json":
            print_json_line(self.stream, "job", job=name, state=STARTED)

    def end(self, entry: Entry) -> None:
        """Show what became of a picture."""
        self.ended += entry.state != STOPPED
        left = self.seconds_left
        if self.kind == "json":
            print_json_line(
                self.stream,
                "job",
                job=entry.result.name,
                state=entry.state,
                path=str(entry.result),
                seconds=entry.seconds,
                error=entry.error,
                number=self.ended,
                jobs=self.pictures,
                seconds_left=None if left is None else round(left, 1),
            )
        elif entry.state == FAILED or self.kind == "text":
            words = entry.error if entry.state == FAILED else f"{entry.seconds or 0:.1f} s"
            rest = f"; {left:.0f} s left for {self.pictures - self.ended} more" if left else ""
            self._print(f"{self.ended}/{self.pictures} {entry.result.name}: {entry.state}: {words}{rest}")

    def tell(self, line: str, job: str | None = None) -> None:
        """Tell what the user should know of a batch that goes on, or of one of its pictures."""
        if self.kind == "json":
            print_json_line(self.stream, "warning", **({"job": job} if job else {}), message=line)
        else:
            self._print(f"neural_art: {f'{job}: ' if job else ''}{line}")

    def sum_up(self, entries: Sequence[Entry], folder: Path, page: Path | None) -> None:
        """Show how many pictures there are now, of which kind, and the page that shows them, if there is one."""
        if self.kind == "text":
            states = [entry.state for entry in entries]
            counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
            look = f"; look at {page}" if page else ""
            self._print(f"{len(entries)} pictures in {folder}: {counts}{look}")

    def trace(self, text: str) -> None:
        """Show the traceback of a mistake of the program."""
        if self.kind != "json":
            print(text, file=self.stream, flush=True)

    def _print(self, line: str) -> None:
        print(one_line(line), file=self.stream, flush=True)
