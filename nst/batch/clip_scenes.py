"""The scenes of one clip, made side by side by an executor and joined in order.

The pixels are those of the clip made in one process. A scene that goes on from an earlier one waits for that one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nst.batch.dask_workers import on_dask
from nst.batch.local_workers import in_processes, in_this_process
from nst.batch.orders import GROWN, Executor, Order, PictureResult, write_files
from nst.batch.run_batch import SECONDS_BETWEEN_LOOKS, TRIES, WorkerOptions
from nst.batch.scene_progress import SceneCounter
from nst.errors import RunError, UserError, os_error_words
from nst.pictures.resizing import resize
from nst.report.progress import Progress
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.folder import FRAMES, RunFolder
from nst.run.job import Job
from nst.run.origin import Origin
from nst.run.record import make_record, network_warnings
from nst.run.request import Request
from nst.run.run_picture import load_network, tell_inputs
from nst.system.atomic_files import folder_lock
from nst.system.shell import shell_words
from nst.system.signals import AtOnce, Stopped, deferred, uninterrupted
from nst.video.clip_state import ClipRun
from nst.video.clips import Clip
from nst.video.plan_clip import plan_clip, tell_notes
from nst.video.run_clip import SHOWN_FRAMES, finish_clip, run_clip, save_state, seconds_of_frames
from nst.video.scene_folder import (
    begin_scenes,
    check_free,
    move_frames,
    place_of,
    read_scenes,
    read_shown,
)
from nst.video.scenes import Scene, find_scenes
from nst.video.store import Store
from nst.video.times import selected


@dataclass
class _Scenes:
    """The scenes of a clip at work.

    options    who makes them
    times      of all frames of the clip, in units of clip.time_base
    done       the numbers of those that are done
    in_flight  the scenes that a worker makes
    crashes    how often the worker of a scene has died, by its number
    error      why a scene has failed
    """

    run: ClipRun
    options: WorkerOptions
    scenes: list[Scene]
    times: list[int]
    done: set[int] = field(default_factory=set)
    in_flight: dict[Future[PictureResult], tuple[Scene, Order]] = field(default_factory=dict)
    crashes: dict[int, int] = field(default_factory=dict)
    signal: int = 0
    error: str | None = None

    @property
    def way_on(self) -> str:
        """Return the words with the command to go on with."""
        words, more = self.run.job.folder.way_on, []
        if self.options.dask:
            more = ["--dask", self.options.dask]
            for name, amount in (self.options.resources or {}).items():
                more += ["--dask-resource", f"{name}={amount:g}"]
        elif self.options.workers:
            more = ["--workers", str(self.options.workers)]
        return " ".join(filter(None, [words, shell_words(more)])) if words else ""

    @property
    def whole(self) -> list[Scene]:
        """Return the scenes that are done, up to the first that is not."""
        first = next((scene.number for scene in self.scenes if scene.number not in self.done), len(self.scenes))
        return self.scenes[:first]

    def told(self, error: str = "") -> str:
        """Return the words for a clip that is not done: the error, how many scenes are done, and how to go on."""
        done = f"{len(self.done)} of {len(self.scenes)} scenes are done"
        return "; ".join(filter(None, [error, done, self.way_on]))

    @property
    def ended(self) -> bool:
        """Return whether no more scenes are handed out."""
        return bool(self.signal or self.error)

    @property
    def left(self) -> list[Scene]:
        """Return the scenes that nobody makes yet."""
        taken = self.done | {scene.number for scene, _ in self.in_flight.values()}
        return [] if self.ended else [scene for scene in self.scenes if scene.number not in taken]

    @property
    def ready(self) -> list[Scene]:
        """Return those of them that can be made: the scene that they go on from is done."""
        return [scene for scene in self.left if scene.after is None or scene.after in self.done]


def run_scenes(request: Request, origin: Origin, progress: Progress, options: WorkerOptions) -> Path:
    """Make a clip scene by scene and return its path; of a single scene as run_clip does. See run_clip for errors."""
    progress.phase("reading the clip")
    clip, job = plan_clip(request, origin)
    check_free(job.folder)
    if options.dask:  # No cluster, no work that takes long.
        with on_dask(options.dask, options.resources, lambda line: None):
            pass
    if job.checkpoint and not job.folder.scene_list.exists():
        progress.tell("the clip was begun in one process, and goes on in one")
        return run_clip(request, origin, progress)
    progress.phase("finding the scenes")
    scenes, times = (read_scenes(job.folder) if job.checkpoint else None) or _found_scenes(clip, job)
    if len(scenes) < 2:
        progress.tell("the clip has one scene, which one process makes")
        return run_clip(request, origin, progress)
    with progress:
        tell_notes(job, origin, progress)
        job = replace(job, request=replace(request, output=job.folder.output))
        run, costs = _begun(clip, job, progress)
        work = _Scenes(run, options, scenes, times, _done_before(job, scenes))
        counter = SceneCounter(progress, job.scales[-1].size, work.scenes, work.done)
        heard = progress.stopping
        with deferred(heard=heard) as signalled, ExitStack() as claim:
            try:
                # The executor comes first: where no cluster answers, no folder is made.
                with _executor(work, counter, signalled) as executor:
                    job.folder.path.mkdir(parents=True, exist_ok=True)
                    claim.enter_context(folder_lock(job.folder.path))
                    _prepare(work, costs)
                    _work(work, executor, counter, signalled)
            except RunError as error:  # The cluster is lost.
                raise RunError(work.told(str(error))) from error
            except AtOnce as error:
                raise AtOnce(error.args[0], work.told()) from None
            return _joined(work)


def goes_by_scenes(request: Request, origin: Origin, options: WorkerOptions) -> bool:
    """Return whether a clip is made scene by scene: by workers, or by this process where workers have begun it."""
    begun = origin.checkpoint and request.output and RunFolder(request.output).scene_list.exists()
    return bool(options.workers or options.dask or begun)


def _begun(clip: Clip, job: Job, progress: Progress) -> tuple[ClipRun, tuple[float, float]]:
    """Return the run of a clip, which this process plans and joins, and the seconds of its frames."""
    network, facts = load_network(job, progress)
    for line in network_warnings(job.record, facts) if job.record else []:
        progress.tell(line)
    record = make_record(job.request, job.folder.output, job.digests, facts)
    store = Store(job.folder.scenes / FRAMES, job.folder.output, clip, job.settings, json.dumps(record.as_json()))
    before = job.checkpoint.seconds if job.checkpoint else 0
    progress.phase("estimating the time")
    with uninterrupted():
        costs = seconds_of_frames(job, network)
    return ClipRun(job, store, record, progress, time.monotonic() - before), costs


def _found_scenes(clip: Clip, job: Job) -> tuple[list[Scene], list[int]]:
    """Return the scenes of a clip, and the times of its frames."""
    times: list[int] = []
    size = job.scales[-1].size

    def frames() -> Iterator[np.ndarray]:
        for frame in selected(clip, job.settings):
            times.append(frame.time)
            yield resize(frame.image, size)

    scenes = find_scenes(frames())
    every = max(1, len(times) // SHOWN_FRAMES)
    return [replace(scene, shown_every=every) for scene in scenes], times


def _prepare(work: _Scenes, costs: tuple[float, float]) -> None:
    """Make the folder of the scenes, and tell how much is left."""
    run, folder = work.run, work.run.job.folder
    tell_inputs(run.progress, run.job)
    run.job.check_overwrite()  # Another run may have ended since.
    folder.remove_leftovers()
    if not run.job.checkpoint:
        folder.remove_checkpoint()
        begin_scenes(folder, work.scenes, work.times)
        _save_start(run)
    run.store.folder.mkdir(exist_ok=True)
    for part in run.store.folder.glob(".*.part"):
        part.unlink(missing_ok=True)
    left, (whole, each) = work.left, costs
    frames = sum(scene.frames for scene in left)
    begun = sum(scene.after is None for scene in left)
    run.progress.begin_frames(len(work.times), done=len(work.times) - frames)
    run.progress.estimate(begun * whole + (frames - begun) * each, run.job.memory.memory_mb, run.record.computed_on)
    run.progress.phase(f"making {len(left)} of {len(work.scenes)} scenes")


def _done_before(job: Job, scenes: Sequence[Scene]) -> set[int]:
    """Return the numbers of the scenes that an earlier run has made."""
    there = scenes if job.checkpoint else ()
    return {scene.number for scene in there if read_shown(place_of(job.folder, scene)) is not None}


def _save_start(run: ClipRun) -> None:
    """Write a checkpoint of the start of the clip, for --resume; each scene has its own."""
    from nst.video.frames import Memory

    save_state(run, Memory())


def _executor(work: _Scenes, counter: SceneCounter, signalled: Callable[[], int]) -> AbstractContextManager[Executor]:
    """Return who makes the scenes."""
    options, left = work.options, len(work.left)
    if left and options.dask is not None:
        return on_dask(options.dask, options.resources, work.run.progress.tell)
    if left and options.workers:
        return in_processes(min(options.workers, left), counter.of)
    return in_this_process(counter.of, stopped=signalled)


def _work(work: _Scenes, executor: Executor, counter: SceneCounter, signalled: Callable[[], int]) -> None:
    """Hand out the scenes, never more at once than the executor takes, and collect them."""
    told = False
    while work.left or work.in_flight:
        work.signal = work.signal or signalled()
        if work.ended and not told:
            executor.stop()
            told = True
        while work.ready and len(work.in_flight) < executor.limit() and not signalled():
            _hand_out(work, executor, work.ready[0])
        if work.in_flight:
            ended = wait(work.in_flight, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done
            for future in sorted(ended, key=lambda future: work.in_flight[future][0].number):
                _collect(work, counter, future)
            if work.ended and not ended and not executor.busy():
                return
        elif work.left:
            time.sleep(SECONDS_BETWEEN_LOOKS)  # For a worker to come.


def _hand_out(work: _Scenes, executor: Executor, scene: Scene) -> None:
    job = work.run.job
    request = replace(job.request, output=place_of(job.folder, scene), overwrite=True, report=False, clip=True)
    order = Order(request, scene=scene)
    try:
        future = executor.submit(order)
    except (UserError, OSError) as error:
        future = Future()
        words = os_error_words(error) if isinstance(error, OSError) else str(error)
        future.set_result(PictureResult(FAILED, error=words))
    work.in_flight[future] = scene, order


def _collect(work: _Scenes, counter: SceneCounter, future: Future[PictureResult]) -> None:
    """Note a scene that has ended. A scene whose worker has died is handed out again."""
    scene, order = work.in_flight.pop(future)
    progress = work.run.progress
    try:
        made = future.result()
        write_files(order, made)
    except (BrokenExecutor, CancelledError):
        made = _crashed(work, scene)
    except OSError as error:
        made = PictureResult(FAILED, error=os_error_words(error))
    except Exception as error:  # The cluster's.
        made = PictureResult(FAILED, error=f"{type(error).__name__}: {error}")
    for line in made.warnings:
        counter.warn(line)
    if made.trace:
        progress.renderer.trace(made.trace)
    if made.state == DONE:
        work.done.add(scene.number)
        counter.count(scene, scene.frames)
    elif made.state == FAILED:
        work.error = work.error or f"scene {scene.number + 1}: {made.error}"
    elif made.state == STOPPED:
        work.signal = work.signal or made.signal
    else:
        assert made.state == GROWN  # A new process takes it.
    progress.phase(f"making {len(work.left)} of {len(work.scenes)} scenes")


def _crashed(work: _Scenes, scene: Scene) -> PictureResult:
    """Return what becomes of a scene whose worker has died."""
    crashes = work.crashes[scene.number] = work.crashes.get(scene.number, 0) + 1
    if crashes == TRIES:
        words = f"its worker has died, {TRIES} times; it may need more memory than there is"
        return PictureResult(FAILED, error=words)
    if not work.signal:
        work.run.progress.tell(f"scene {scene.number + 1}: its worker has died; another one takes it")
    return PictureResult(GROWN)


def _joined(work: _Scenes) -> Path:
    """Write the clip of all scenes, or of those up to the first that is not done, and return its path.

    Raises Stopped after a signal, and RunError where a scene has failed, or where a file cannot be written.
    """
    run, folder, whole = work.run, work.run.job.folder, work.whole
    if work.ended:
        _save_start(run)
    if work.error:
        raise RunError(work.told(work.error))
    if work.signal and not whole:
        raise Stopped(work.signal, work.told(), None)
    frames = whole[-1].end
    run.times = work.times[:frames]
    run.shown = [shown for scene in whole for shown in read_shown(place_of(folder, scene)) or []][: 2 * SHOWN_FRAMES]
    try:
        if folder.is_result:
            move_frames(run.store.folder, folder.path, frames)
        output = finish_clip(run, frames, work.signal, work.way_on)
        if run.job.settings.keep_frames and not folder.is_result:
            move_frames(run.store.folder, folder.frames, frames)
        folder.remove_scenes()
    except OSError as error:
        raise RunError(work.told(os_error_words(error))) from error
    return output
