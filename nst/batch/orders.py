"""An order for a picture, given to a worker, and the result that comes back.

An executor takes orders and returns a future for each. Signals are the client's: it tells workers to end by a file,
for which they look after each step.
"""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nst
from nst.errors import RunError, UserError, os_error_words
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.folder import RunFolder
from nst.run.origin import Origin
from nst.run.request import Request
from nst.run.run_picture import OutgrownError, run_picture
from nst.system.atomic_files import atomic_write
from nst.transfer.state import OnStep
from nst.video.run_clip import run_clip
from nst.video.run_scene import run_scene
from nst.video.scene_folder import ending_at
from nst.video.scenes import Scene
from nst.video.store import remove_frames

GROWN = "grown"  # The state of a picture that a new process must make.


@dataclass(frozen=True)
class Order:
    """A picture to make.

    request   the wish, with paths on the worker's disk
    if_begun  whether a checkpoint of the same inputs and settings is resumed
    stop      the name of a file in the folder for temporary files that is there once work is to end
    most_mb   the most megabytes to take where the settings set no limit; 0 for most of what is free
    scene     the scene to make of a clip, None for all of it
    renewable  whether a process that holds too much memory of earlier pictures is renewed
    version   the version of the program that orders
    """

    request: Request
    if_begun: bool = True
    stop: str = ""
    most_mb: int = 0
    scene: Scene | None = None
    renewable: bool = False
    version: str = nst.__version__


@dataclass(frozen=True)
class PictureResult:
    """The result of an order.

    error     the reason for no picture, or for an unfinished one, in one line
    warnings  lines that the user should know and that nobody has shown yet
    signal    the number of the signal that stopped the run, or 0
    trace     the traceback of a mistake in the program
    files     payloads by path beside the result, of a picture made on another disk
    """

    state: str
    seconds: float = 0.0
    error: str | None = None
    warnings: tuple[str, ...] = ()
    signal: int = 0
    trace: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Executor:
    """The maker of a batch's pictures.

    limit  returns the number of orders that may be in flight
    stop   tells workers to end after their step
    busy   returns whether any worker is at work; if none is, orders in flight have reached nobody
    """

    submit: Callable[[Order], Future[PictureResult]]
    limit: Callable[[], int]
    stop: Callable[[], None] = lambda: None
    busy: Callable[[], bool] = lambda: True


def make(
    order: Order,
    progress: Progress | None = None,
    *,
    stopped: Callable[[], int] = lambda: 0,
    live: LiveView | None = None,
    on_step: Sequence[OnStep] = (),
) -> PictureResult:
    """Make a picture or a clip, from its checkpoint if there is one, and return the result; nothing is raised.

    progress  shows the progress; without one, warnings are part of the result
    stopped   returns the number of a signal that came, or 0
    live      shows the growing picture, or the frames of a clip, to browsers
    on_step   listeners to each step
    """
    began = time.monotonic()
    silent = Progress(kind="silent")

    def result(state: str, error: object = None, **facts: Any) -> PictureResult:
        words = None if error is None else str(error)
        return PictureResult(state, time.monotonic() - began, words, tuple(silent.told), **facts)

    def number() -> int:
        return stopped() or (signal.SIGTERM if order.stop and stop_path(order.stop).exists() else 0)

    if number():
        return result(STOPPED, signal=number())
    try:
        limits: dict[str, Any] = {"stopped": number, "most_mb": order.most_mb, "renewable": order.renewable}
        origin = Origin(if_begun=order.if_begun)
        if order.scene:
            run_scene(order.request, order.scene, origin, progress or silent, **limits)
        elif order.request.clip:
            run_clip(order.request, origin, progress or silent, live=live, **limits)
        else:
            run_picture(order.request, origin, progress or silent, live=live, on_step=on_step, **limits)
        return result(DONE)
    except OutgrownError:
        return result(GROWN)
    except KeyboardInterrupt as error:
        return result(STOPPED, signal=error.args[0] if error.args else signal.SIGINT)
    except (UserError, RunError) as error:
        return result(FAILED, error)
    except OSError as error:
        return result(FAILED, os_error_words(error))
    except Exception as error:  # One picture's failure; the others go on.
        return result(FAILED, f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def write_files(order: Order, made: PictureResult) -> None:
    """Write files made on another disk to their places, last the picture, or of a scene its ending. Raises OSError."""
    output = order.request.output
    if output is None or not made.files:
        return
    last = ending_at(output) if order.scene else output
    for name, payload in sorted(made.files.items(), key=lambda item: output.parent / item[0] == last):
        path = output.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_bytes(payload)
    if made.state == DONE:
        RunFolder(output).remove_checkpoint()
        if order.request.clip and not order.request.settings.keep_frames:
            remove_frames(RunFolder(output).frames)  # Of a clip that was begun here.


def new_stop_name() -> str:
    """Return a name for a file that tells workers to end."""
    return f"neural_art_stop_{uuid.uuid4().hex}"


def place_stop(stop: str) -> None:
    """Tell the workers on this machine to end."""
    stop_path(stop).touch()


def remove_stop(stop: str) -> None:
    """Remove the file that tells workers to end."""
    stop_path(stop).unlink(missing_ok=True)


def stop_path(stop: str) -> Path:
    """Return the path of the file that tells workers to end."""
    return Path(tempfile.gettempdir(), stop)
