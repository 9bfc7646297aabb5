"""Who makes the pictures of a batch: this process, others on this machine, or a Dask cluster without its disk.

Each is a crew that takes orders and gives a future of what came of each. Signals are the client's; it tells those at
work to end by a file, which they look for after each step.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

import nst
from nst.errors import RunError, UserError
from nst.report.live_view import Live
from nst.report.progress import Progress
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.checkpoint import has_checkpoint, read_checkpoint, remove_checkpoint
from nst.run.job import Job, Paths, find_pictures, is_begun, plan_job, run_job
from nst.run.memory_plan import BASE_MB, SPARED, available_mb
from nst.settings import Settings
from nst.system.atomic_files import written_aside

CONNECT_SECONDS = 10
IN_FLIGHT_PER_THREAD = 2  # of a cluster, so that no worker waits for its next picture
SEND_TRIES, SECONDS_TO_RECOVER = 4, 1.0
SENT_BYTES = 512 * 2**20  # of pictures and weights that are kept on a cluster for orders to come


@dataclass(frozen=True)
class Order:
    """A picture to make, with where its files are and the result goes on the disk of whoever makes it.

    anew      whether a checkpoint that is there is of no use
    stop      name of a file, in the folder for temporary ones, that is there once work is to end
    share_mb  the most memory to take where the settings do not say; 0 for most of what is free
    version   of the program that orders
    """

    paths: Paths
    settings: Settings
    output: Path
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    verbose: bool = False
    anew: bool = False
    stop: str = ""
    share_mb: int = 0
    version: str = nst.__version__


@dataclass(frozen=True)
class Made:
    """What came of an order.

    error    why there is no picture, or not a whole one, in one line
    told     warnings
    signal   number of the one that stopped it, or 0
    trace    of an error that is a mistake of the program
    files    contents by path beside the result, where it was made on another disk
    """

    state: str
    seconds: float = 0.0
    error: str | None = None
    told: tuple[str, ...] = ()
    signal: int = 0
    trace: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Crew:
    """Who makes pictures.

    limit  returns how many orders may be in flight
    stop   tells those at work to end after their step
    busy   returns whether any is at work; else orders in flight have come to no one
    """

    submit: Callable[[Order], Future[Made]]
    limit: Callable[[], int]
    stop: Callable[[], None] = lambda: None
    busy: Callable[[], bool] = lambda: True


def make(
    order: Order,
    show: Callable[[Job], Progress] | None = None,
    stopped: Callable[[], int] = lambda: 0,
    live: Live | None = None,
) -> Made:
    """Make a picture, from its checkpoint if there is one, and return what came of it; nothing is raised.

    show     returns what shows the progress of a job; by default nothing does
    stopped  returns the number of a signal that came, or 0
    live     what shows it to browsers
    """
    began, told, job = time.monotonic(), io.StringIO(), None
    stop = Path(tempfile.gettempdir(), order.stop)

    def result(state: str, error: object = None, **facts: Any) -> Made:
        lines = tuple(line.removeprefix("neural_art: ") for line in told.getvalue().splitlines())
        return Made(state, time.monotonic() - began, None if error is None else str(error), lines, **facts)

    def number() -> int:
        return stopped() or (signal.SIGTERM if order.stop and stop.exists() else 0)

    if number():
        return result(STOPPED, signal=number())
    try:
        job = _job(order)
        progress = show(job) if show else Progress(job.scales, told, done=_done(job), kind="quiet")
        run_job(job, verbose=order.verbose, progress=progress, live=live, stopped=number)
        return result(DONE)
    except KeyboardInterrupt as error:
        return result(STOPPED, signal=error.args[0] if error.args else signal.SIGINT)
    except (UserError, RunError) as error:
        return result(FAILED, error)
    except OSError as error:
        return result(FAILED, f"{error.filename or 'file'}: {error.strerror or error}")
    except Exception as error:  # of one picture; the others go on
        return result(FAILED, f"{type(error).__name__}: {error}", trace=traceback.format_exc())


def make_elsewhere(order: Order, sources: Sequence[tuple[str, str]], *contents: bytes) -> Made:
    """Make a picture on a disk that is not the client's; its result and all else of the run come back as bytes.

    order    with paths as the client has them
    sources  role and path, as the client has it, of each of the contents; the role 'run' is of the run's folder
    """
    if order.version != nst.__version__:
        words = f"the worker has neural_art {nst.__version__}, not {order.version}; give it the same code"
        return Made(FAILED, error=words)
    with tempfile.TemporaryDirectory(prefix="neural_art_") as scratch:
        output = Path(scratch, "made", order.output.name)
        paths: dict[str, tuple[Path, ...]] = {}
        theirs = {str(output): str(order.output)}
        for number, ((role, source), content) in enumerate(zip(sources, contents, strict=True)):
            folder = output.with_suffix("") if role == "run" else Path(scratch, str(number))
            path = folder / Path(source).name
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            paths[role] = (*paths.get(role, ()), path)
            theirs[str(path)] = source
        settings = _settings_with(order.settings, paths)
        inputs = {role: found for role, found in paths.items() if role not in ("run", "weights")}
        made = make(replace(order, paths=inputs, settings=settings, output=output))
        error = made.error
        for path_here, path_there in theirs.items():
            error = error and error.replace(path_here, path_there)
        return replace(made, error=error, files=_contents_of(output.parent))


def _contents_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files of a run by their paths from a folder on."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@contextmanager
def in_this_process(
    show: Callable[[Job], Progress], stopped: Callable[[], int], live: Live | None = None
) -> Iterator[Crew]:
    """Yield a crew of this process alone, which holds the network for all pictures: an order is done once submitted."""

    def submit(order: Order) -> Future[Made]:
        future: Future[Made] = Future()
        future.set_result(make(order, show, stopped, live))
        return future

    yield Crew(submit, lambda: 1)


@contextmanager
def in_processes(workers: int) -> Iterator[Crew]:
    """Yield a crew of new processes on this machine, among which the processor's threads and memory are shared out."""
    stop = _stop_name()
    share_mb = _share_mb(workers)
    threads = max(1, len(os.sched_getaffinity(0)) // workers) if hasattr(os, "sched_getaffinity") else 1
    context = multiprocessing.get_context("spawn")
    pools: list[ProcessPoolExecutor] = []

    def submit(order: Order) -> Future[Made]:
        for _ in range(2):
            if not pools:
                pools.append(ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(threads,)))
            try:
                return pools[0].submit(_make_in_worker, replace(order, stop=stop, share_mb=share_mb))
            except BrokenProcessPool:
                pools.pop().shutdown()
        raise BrokenProcessPool

    try:
        yield Crew(submit, lambda: workers, lambda: _place(stop))
    except BaseException:  # all that must not wait has been waited for
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)
        _remove(stop)


def _share_mb(workers: int) -> int:
    """Return the megabytes that each of so many processes may take, or 0 where it is not known. Raises UserError."""
    free = available_mb()
    share = int((1 - SPARED) * (free or 0) / workers)
    if free is not None and share < BASE_MB:
        words = f"leaves {share} MB of memory to each, of at least {BASE_MB} MB that it needs; give fewer"
        raise UserError(f"--workers {workers}: {words}")
    return share


@contextmanager
def on_dask(address: str, resources: Mapping[str, float], tell: Callable[[str], None]) -> Iterator[Crew]:
    """Yield a crew of the workers of a running Dask cluster. Pictures and weights are sent to them, once to each.

    resources  that a worker must have to take an order
    tell       tells the user a line

    Raises UserError where there is no cluster, and RunError where it is lost.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError("--dask: needs distributed; pip install -r requirements-dask.txt") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"--dask {address}: no scheduler answers there; start one with 'dask scheduler'") from error
    stop = _stop_name()
    with client:
        _check_code(client, address)
        if not client.nthreads():
            tell(f"--dask {address}: has no workers yet; waits for one")
        executor = client.get_executor(pure=False, **({"resources": dict(resources)} if resources else {}))
        sent: OrderedDict[str, Any] = OrderedDict()

        def submit(order: Order) -> Future[Made]:
            found = _files_of(order)
            contents = [_sent(client, sent, path) for _, path in found]
            sources = [(role, str(path)) for role, path in found]
            return executor.submit(make_elsewhere, replace(order, stop=stop), sources, *contents)

        try:
            yield Crew(
                submit,
                lambda: IN_FLIGHT_PER_THREAD * sum(client.nthreads().values()),
                lambda: client.run(_place, stop, on_error="ignore"),
                lambda: any(client.processing().values()),
            )
        except OSError as error:
            if error.filename is not None:
                raise
            raise RunError(f"--dask {address}: {error}; give the same command again to go on") from error
        finally:
            executor.shutdown(wait=False)
            with suppress(OSError):
                client.run(_remove, stop, on_error="ignore")


def write_files(order: Order, made: Made) -> None:
    """Write what was made on another disk to where it belongs, the picture last. Raises OSError."""
    files = sorted(made.files.items(), key=lambda item: item[0] == order.output.name)
    for name, content in files:
        path = order.output.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as temporary:
            temporary.write_bytes(content)
    if made.state == DONE:
        remove_checkpoint(order.output.with_suffix(""))


def _job(order: Order) -> Job:
    """Return the job of an order, from its checkpoint where that is whole and of the same inputs and settings."""
    folder, resume = order.output.with_suffix(""), None
    if has_checkpoint(folder) and not order.anew:
        with suppress(UserError):
            resume, _ = read_checkpoint(folder)
            resume = resume if is_begun(resume, order.paths, order.settings) else None
    (content,) = order.paths["content"]
    limited = replace(order.settings, max_memory=order.settings.max_memory or order.share_mb)
    job = plan_job(
        str(content),
        [str(path) for path in order.paths["style"]],
        limited,
        output=str(order.output),
        overwrite=order.overwrite or resume is not None or has_checkpoint(folder),
        plot=order.plot,
        report=order.report,
        resume=resume,
    )
    return replace(job, inputs=replace(job.inputs, settings=order.settings))


def _done(job: Job) -> int:
    return len(job.resume.steps) if job.resume else 0


def _settings_with(settings: Settings, placed: Paths) -> Settings:
    """Return settings with the files that they name where those were placed."""
    found: dict[str, Any] = {
        role: str(placed[role][0]) for role in ("init", "content_mask", "weights") if role in placed
    }
    if "style_mask" in placed:
        found["style_mask"] = tuple(map(str, placed["style_mask"]))
    return replace(settings, **found)


def _files_of(order: Order) -> list[tuple[str, Path]]:
    """Return role and path of each file that a worker needs. Raises UserError where one is not there."""
    content, styles = order.paths["content"][0], order.paths["style"]
    paths = find_pictures(str(content), [str(style) for style in styles], order.settings)
    if order.settings.weights not in (None, "imagenet"):
        paths["weights"] = (Path(str(order.settings.weights)),)
    found = [(role, path) for role, files in paths.items() for path in files]
    folder = order.output.with_suffix("")
    if has_checkpoint(folder) and not order.anew:
        found += [("run", path) for path in sorted(folder.glob("checkpoint*.npz"))]
    return found


def _make_in_worker(order: Order) -> Made:
    """Make a picture in a process of `in_processes`; a SIGTERM of its own ends the process after its step."""
    made = make(order)
    if made.signal == signal.SIGTERM and not Path(tempfile.gettempdir(), order.stop).exists():
        os._exit(128 + signal.SIGTERM)
    return made


def _begin(threads: int) -> None:
    """Prepare a new process: Ctrl-C is the client's, and when that one is gone, so is this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(threads))
    tqdm.set_lock(threading.RLock())  # its own is one of all processes, which a killed one leaves behind
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def code_version() -> str:
    """Return the version of the code in whatever process runs this."""
    return nst.__version__


def _check_code(client: Any, address: str) -> None:
    """Raise UserError unless the scheduler and all workers have this program, in this version."""
    try:
        versions = {"the scheduler": client.run_on_scheduler(code_version), **client.run(code_version)}
    except ModuleNotFoundError as error:
        words = "start scheduler and workers with its folder in PYTHONPATH, as README.md shows"
        raise UserError(f"--dask {address}: a process there has no {error.name}; {words}") from error
    for place, found in versions.items():
        if found != nst.__version__:
            words = f"has neural_art {found}, not {nst.__version__}; give it the same code"
            raise UserError(f"--dask {address}: {place} {words}")


def _sent(client: Any, sent: OrderedDict[str, Any], path: Path) -> Any:
    """Return a file's content as the cluster holds it, sent now unless it is there. Forgets what is long unused."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    there = sent.pop(digest, None)
    if there is None or there[0].status != "finished":  # lost with the worker that held it
        there = _scattered(client, content), len(content)
    sent[digest] = there
    while len(sent) > 1 and sum(size for _, size in sent.values()) > SENT_BYTES:
        sent.popitem(last=False)
    return there[0]


def _scattered(client: Any, content: bytes) -> Any:
    """Send bytes to a worker, to another one where that one is just dying. Raises OSError where the cluster is lost."""
    for _ in range(SEND_TRIES - 1):
        try:
            return client.scatter([content], hash=False)[0]
        except OSError:  # the scheduler hangs up where its worker does
            time.sleep(SECONDS_TO_RECOVER)
    return client.scatter([content], hash=False)[0]


def _stop_name() -> str:
    return f"neural_art_stop_{uuid.uuid4().hex}"


def _place(stop: str) -> None:
    Path(tempfile.gettempdir(), stop).touch()


def _remove(stop: str) -> None:
    Path(tempfile.gettempdir(), stop).unlink(missing_ok=True)
