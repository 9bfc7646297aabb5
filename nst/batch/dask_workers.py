"""TODO."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import nst
from nst.batch.local_workers import place_stop, remove_stop, stop_name
from nst.batch.orders import Executor, Order, PictureResult, make
from nst.errors import RunError, UserError
from nst.report.status import FAILED
from nst.run.checkpoint import has_checkpoint
from nst.run.input_files import Paths, find_pictures
from nst.settings import Settings
from nst.transfer.state import OnStep

CONNECT_SECONDS = 10
IN_FLIGHT_PER_THREAD = 2  # of a cluster, so that no worker waits for its next picture
SEND_TRIES, SECONDS_TO_RECOVER = 4, 1.0
SENT_BYTES = 512 * 2**20  # of pictures and weights that are kept on a cluster for orders to come


def make_on_other_disk(
    order: Order, sources: Sequence[tuple[str, str]], *contents: bytes, on_step: Sequence[OnStep] = ()
) -> PictureResult:
    """Make a picture on a disk that is not the client's; its result and all else of the run come back as bytes.

    order    with paths as the client has them
    sources  role and path, as the client has it, of each of the contents; the role 'run' is of the run's folder
    """
    if order.version != nst.__version__:
        words = f"the worker has neural_art {nst.__version__}, not {order.version}; give it the same code"
        return PictureResult(FAILED, error=words)
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
        made = make(replace(order, paths=inputs, settings=settings, output=output), on_step=on_step)
        error = made.error
        for path_here, path_there in theirs.items():
            error = error and error.replace(path_here, path_there)
        return replace(made, error=error, files=_contents_of(output.parent))


def _contents_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files of a run by their paths from a folder on."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@contextmanager
def on_dask(address: str, resources: Mapping[str, float], tell: Callable[[str], None]) -> Iterator[Executor]:
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
    stop = stop_name()
    with client:
        _check_code(client, address)
        if not client.nthreads():
            tell(f"--dask {address}: has no workers yet; waits for one")
        executor = client.get_executor(pure=False, **({"resources": dict(resources)} if resources else {}))
        sent: OrderedDict[str, Any] = OrderedDict()

        def submit(order: Order) -> Future[PictureResult]:
            found = _files_of(order)
            contents = [_sent(client, sent, path) for _, path in found]
            sources = [(role, str(path)) for role, path in found]
            return executor.submit(make_on_other_disk, replace(order, stop=stop), sources, *contents)

        try:
            yield Executor(
                submit,
                lambda: IN_FLIGHT_PER_THREAD * sum(client.nthreads().values()),
                lambda: client.run(place_stop, stop, on_error="ignore"),
                lambda: any(client.processing().values()),
            )
        except OSError as error:
            if error.filename is not None:
                raise
            raise RunError(f"--dask {address}: {error}; give the same command again to go on") from error
        finally:
            executor.shutdown(wait=False)
            with suppress(OSError):
                client.run(remove_stop, stop, on_error="ignore")


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
