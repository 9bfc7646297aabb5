"""One scene of a clip, from its order to its frames and its ending; the frames of all scenes are joined elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import RunError
from nst.report.progress import Progress
from nst.run.checkpoint import DAMAGED
from nst.run.folder import FRAMES, RunFolder
from nst.run.memory_plan import has_outgrown
from nst.run.origin import Origin
from nst.run.record import make_record
from nst.run.request import Request
from nst.run.run_picture import OutgrownError, load_network
from nst.system.atomic_files import atomic_write, folder_lock
from nst.system.signals import Stopped, deferred
from nst.video.clip_state import SHOWN, ClipRun, resumed
from nst.video.plan_clip import plan_clip, tell_notes
from nst.video.run_clip import keeping, make_frames, save_state, write_lot
from nst.video.scene_folder import PARTS, ending_at, ending_beside
from nst.video.scenes import MOST_SCENES, Scene
from nst.video.store import Store


def run_scene(
    request: Request,
    scene: Scene,
    origin: Origin,
    progress: Progress,
    *,
    stopped: Callable[[], int] = lambda: 0,
    most_mb: float = 0,
    renewable: bool = False,
) -> None:
    """Make the frames of a scene, and its ending. Ctrl-C and SIGTERM first save the frames so far.

    request  of the clip, whose output is the place of the scene, see place_of
    stopped, most_mb, renewable  see run_clip

    Raises UserError for a mistake found before the first frame, and RunError for an ending that is damaged, or where
    a frame cannot be read, made or written.
    """
    with progress:
        clip, job = plan_clip(request, origin, most_mb=most_mb, checked=True)
        tell_notes(job, origin, progress)
        if renewable and has_outgrown(job.memory, job.settings, most_mb):
            raise OutgrownError
        network, facts = load_network(job, progress)
        from nst.video.frames import Maker, Memory

        frames = job.folder.output.parent / FRAMES
        frames.mkdir(parents=True, exist_ok=True)
        store = Store(frames, frames if job.folder.is_result else job.folder.output, clip, job.settings)
        record = make_record(request, job.folder.output, job.digests, facts)
        run = ClipRun(job, store, record, progress, time.monotonic(), [0] * scene.first, every=scene.shown_every)
        memory = Memory(number=scene.first, scenes=_memories(job.folder.output, scene.after))
        if job.checkpoint and job.checkpoint.clip:
            memory = resumed(run, job.checkpoint.clip)
        maker = Maker(network, job.inputs, job.scales, job.memory.tile_px)
        job.folder.path.mkdir(parents=True, exist_ok=True)
        with folder_lock(job.folder.path), deferred(lambda: "the scene is not saved") as signalled:
            job.folder.remove_leftovers()
            progress.begin_frames(scene.frames, done=memory.number - scene.first)
            with keeping(run, memory):
                number = make_frames(run, maker, memory, lambda: signalled() or stopped(), end=scene.end)
            if number:
                save_state(run, memory)
                raise Stopped(number, "the scene is saved so far", None)
            if run.lot:
                write_lot(run, memory.number)
            _write_ending(job.folder, run, memory.ending())
            job.folder.remove_checkpoint()


def _memories(place: Path, after: int | None) -> deque[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the scenes that a scene may go on from: the one that it goes on from, or none. Raises RunError."""
    found: deque[tuple[np.ndarray, np.ndarray, np.ndarray]] = deque(maxlen=MOST_SCENES)
    if after is None:
        return found
    path = ending_beside(place, after)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            scene, last, result = (arrays[name] for name in PARTS)
    except DAMAGED as error:
        raise RunError(f"{path}: is damaged or missing; start the run anew") from error
    found.append((scene, last, result))
    return found


def _write_ending(folder: RunFolder, run: ClipRun, ending: tuple[np.ndarray, ...]) -> None:
    arrays: dict[str, Any] = dict(zip(PARTS, ending, strict=True))
    arrays |= {f"{SHOWN}{number}": np.stack([frame, picture]) for number, frame, picture in run.shown}
    with atomic_write(ending_at(folder.output)) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
