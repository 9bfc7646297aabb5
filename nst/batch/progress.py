"""The progress of a batch: how many of its pictures have ended, the time left, and how each picture has ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from nst.report.renderers import renderer_of
from nst.report.status import STOPPED, PictureStatus
from nst.system.signals import stopping_words


class BatchProgress:
    """Count the pictures of a batch that have ended, estimate the time left, and hand its events to a renderer.

    pictures  the number of pictures to make in this call
    kind      text, quiet or json, see renderer_of
    """

    def __init__(self, pictures: int, stream: TextIO | None = None, *, kind: str = "text") -> None:
        self.pictures = pictures
        self.kind = kind
        self.renderer = renderer_of(kind, stream)
        self.ended = 0
        self.started = time.monotonic()

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest will take at the pace so far, or None before the first picture has ended."""
        return (time.monotonic() - self.started) / self.ended * (self.pictures - self.ended) if self.ended else None

    def announce(self, url: str) -> None:
        """Tell where the batch can be watched."""
        self.renderer.announce(url)

    def begin(self, name: str) -> None:
        """Tell that a picture is being made."""
        self.renderer.begin_picture(name)

    def end(self, status: PictureStatus) -> None:
        """Count a picture and tell how it has ended. A stopped picture does not count: it is still to be made."""
        self.ended += status.state != STOPPED
        self.renderer.end_picture(status, number=self.ended, pictures=self.pictures, seconds_left=self.seconds_left)

    def tell(self, line: str, job: str | None = None) -> None:
        """Warn the user, about the batch or about one of its pictures; the batch goes on."""
        self.renderer.warn(line, job)

    def stopping(self, number: int) -> None:
        """Tell that the batch will end, of a signal."""
        self.renderer.stopping(stopping_words("the steps at work", number))

    def sum_up(self, statuses: Sequence[PictureStatus], folder: Path, page: Path | None) -> None:
        """Tell how many pictures are in each state, and where the batch's page is, if it has one."""
        self.renderer.sum_up([status.state for status in statuses], folder, page)

    def trace(self, text: str) -> None:
        """Show the traceback of a mistake of the program."""
        self.renderer.trace(text)
