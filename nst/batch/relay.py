"""The progress of a picture that another process makes, shown by this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, cast

from nst.batch.orders import PictureResult
from nst.report.progress import Progress
from nst.report.renderers import Renderer, Silence

LAST = "last"  # The event of a picture after which no more come. Any other event is a method of a renderer by name.
SECONDS_FOR_EVENTS = 5  # The wait for what a picture that is done has still to tell.


def relayed(sender: Connection) -> Progress:
    """Return a progress whose events another process shows."""
    progress = Progress(kind="silent")
    progress.renderer = cast(Renderer, _Sender(sender))
    return progress


class _Sender:
    """A renderer that sends its events to another process, as long as that one listens."""

    def __init__(self, sender: Connection) -> None:
        self._sender = sender

    def __getattr__(self, name: str) -> Callable[..., None]:
        def send(*given: Any, **named: Any) -> None:
            with suppress(OSError):
                self._sender.send((name, given, named))

        return send


class Relay:
    """Shows the events of one worker with the renderer of the picture that it makes. It ends with the worker.

    sender  to be given to the worker
    """

    def __init__(self, context: SpawnContext) -> None:
        self._receiver, self.sender = context.Pipe(duplex=False)
        self._renderer: Renderer | Silence | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    def shown(self, progress: Progress, submit: Callable[[], Future[PictureResult]]) -> Future[PictureResult]:
        """Show the events of an order that `submit` hands out; return a future that is done when all is shown."""
        self._renderer = progress.renderer
        self._ended.clear()
        shown: Future[PictureResult] = Future()

        def end(made: Future[PictureResult]) -> None:
            if not made.cancelled() and not made.exception():
                self._ended.wait(SECONDS_FOR_EVENTS)
            progress.renderer.close()
            try:
                shown.set_result(made.result())
            except BaseException as error:  # Whatever has become of the worker is the future's to tell.
                shown.set_exception(error)

        submit().add_done_callback(end)
        return shown

    def _follow(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                name, given, named = self._receiver.recv()
                if name == LAST:
                    self._ended.set()
                elif self._renderer:
                    getattr(self._renderer, name)(*given, **named)
        self._ended.set()
