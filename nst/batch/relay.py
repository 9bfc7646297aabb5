"""The progress of a picture that another process makes, shown by this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.context import SpawnContext
from multiprocessing.queues import SimpleQueue
from typing import Any, cast

from nst.batch.orders import PictureResult
from nst.report.progress import Progress
from nst.report.renderers import Renderer, Silence

Event = tuple[str, tuple[Any, ...], dict[str, Any]]  # The name of a renderer's method, and what it is called with.
LAST = "last"  # The event of a picture after which no more come.
SECONDS_FOR_EVENTS = 5  # The wait for what a picture that is done has still to tell.


def relayed(events: SimpleQueue[Event]) -> Progress:
    """Return a progress whose events another process shows."""
    progress = Progress(kind="silent")
    progress.renderer = cast(Renderer, _Sender(events))
    return progress


class _Sender:
    """A renderer that sends its events to another process."""

    def __init__(self, events: SimpleQueue[Event]) -> None:
        self._events = events

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: self._events.put((name, given, named))


class Relay:
    """Shows the events of a worker with the renderer of the picture that it makes.

    events  to be given to the worker
    """

    def __init__(self, context: SpawnContext) -> None:
        self.events: SimpleQueue[Event] = context.SimpleQueue()
        self._renderer: Renderer | Silence | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

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

    def close(self) -> None:
        """Show no more events."""
        self.events.put(("", (), {}))
        self._thread.join()

    def _follow(self) -> None:
        while True:
            name, given, named = self.events.get()
            if not name:
                return
            if name == LAST:
                self._ended.set()
            elif self._renderer:
                getattr(self._renderer, name)(*given, **named)
