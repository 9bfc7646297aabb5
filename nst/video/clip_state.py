"""The run of a clip while it goes on, and the same as the arrays of a checkpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nst.errors import UserError
from nst.report.progress import Progress
from nst.run.job import Job
from nst.run.record import Record
from nst.video.clips import Clip
from nst.video.mask_clips import MaskClip, mask_clips
from nst.video.store import Store

if TYPE_CHECKING:
    from nst.video.frames import Memory

SHOWN = "shown_"  # What the names of the arrays of a report's frames begin with.


@dataclass
class ClipRun:
    """A clip at work.

    times    of the frames so far, in units of clip.time_base
    lot      the frames that are not in the store yet, in levels of 255
    shown    the frames for the report: number, frame and picture, in levels of 255
    every    the number of frames from one of these to the next
    due      the time of the next checkpoint, by time.monotonic()
    """

    job: Job
    store: Store
    record: Record
    progress: Progress
    started: float
    times: list[int] = field(default_factory=list)
    lot: list[np.ndarray] = field(default_factory=list)
    shown: list[tuple[int, np.ndarray, np.ndarray]] = field(default_factory=list)
    every: int = 1
    due: float = 0.0

    @property
    def clip(self) -> Clip:
        """Return the clip."""
        return self.store.clip

    @cached_property
    def masks(self) -> tuple[MaskClip, ...]:
        """Return the masks that are clips."""
        return mask_clips(self.job.request.paths)

    @property
    def seconds(self) -> float:
        """Return how long the run has taken."""
        return time.monotonic() - self.started


def arrays_of(run: ClipRun, memory: Memory) -> dict[str, np.ndarray]:
    """Return a memory, and the frames that are not in the store, as arrays."""
    arrays = {"times": np.array(run.times, np.int64), "number": np.array(memory.number)}
    for name in ("frame", "result", "ages", "scene"):
        if getattr(memory, name) is not None:
            arrays[name] = getattr(memory, name)
    for number, frame, picture in run.shown:
        arrays[f"{SHOWN}{number}"] = np.stack([frame, picture])
    for name, several in (("lot", run.lot), ("earlier", memory.earlier), ("scenes", memory.scenes)):
        if several:
            arrays[name] = np.stack([np.stack(part) if isinstance(part, tuple) else part for part in several])
    return arrays


def resumed(run: ClipRun, arrays: dict[str, np.ndarray]) -> Memory:
    """Return the memory in a checkpoint, having taken the frames that are not in the store. Raises UserError."""
    from nst.video.frames import Memory

    size = run.job.scales[-1].size
    memory = Memory(number=int(arrays["number"]))
    run.times = [int(value) for value in arrays["times"]]
    run.lot = list(arrays.get("lot", []))
    pairs = {int(name[len(SHOWN) :]): both for name, both in arrays.items() if name.startswith(SHOWN)}
    run.shown = [(number, pairs[number][0], pairs[number][1]) for number in sorted(pairs)]
    whole = all(arrays[name].shape[:2] == size for name in ("frame", "result", "ages") if name in arrays)
    if not whole or len(run.times) != memory.number:
        raise UserError(f"{run.job.folder.checkpoint}: is damaged or of another version; start the run anew")
    for name in ("frame", "result", "ages", "scene"):
        setattr(memory, name, arrays.get(name))
    memory.earlier.extend((part[0], part[1]) for part in arrays.get("earlier", []))
    memory.scenes.extend((part[0], part[1], part[2]) for part in arrays.get("scenes", []))
    return memory
