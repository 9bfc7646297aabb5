"""The executor of a Dask cluster, whose workers share no disk with the client: files travel as bytes."""

from __future__ import annotations

import hashlib
import socket
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
from nst.batch.orders import Executor, Order, PictureResult, make, new_stop_name, place_stop, remove_stop
from nst.errors import RunError, UserError
from nst.places import install_extra
from nst.report.status import FAILED
from nst.run.clip_names import is_numbered
from nst.run.folder import RunFolder
from nst.run.input_files import frames_of
from nst.run.request import WEIGHTS_WITHOUT_FILE, settings_naming
from nst.transfer.state import OnStep
from nst.video.scene_folder import ending_beside

CONNECT_SECONDS = 10
IN_FLIGHT_PER_THREAD = 2  # So many orders for each thread of a cluster, so that no worker waits for its next picture.
SEND_TRIES, SECONDS_TO_RECOVER = 4, 1.0
FRAME_OF = " "  # Stands in the role of a frame of a clip, before the number of the clip among the inputs of that role.
SENT_BYTES = 512 * 2**20  # The bytes of pictures and weights that a cluster keeps for orders to come.


def make_on_other_disk(
    order: Order, sources: Sequence[tuple[str, str]], *payloads: bytes, on_step: Sequence[OnStep] = ()
) -> PictureResult:
    """Make a picture on a disk that is not the client's; return all files of the run as bytes.

    order    with paths on the client's disk
    sources  the role and the client's path of each payload, see _files_of
    """
    if order.version != nst.__version__:
        words = f"the worker has neural_art {nst.__version__}, not {order.version}; give it the same code"
        return PictureResult(FAILED, error=words)
    wanted = order.request.output
    assert wanted is not None  # A batch names each result.
    with tempfile.TemporaryDirectory(prefix="neural_art_") as scratch:
        output = Path(scratch, "made", wanted.name)
        paths: dict[str, tuple[Path, ...]] = {}
        client_paths = {str(output): str(wanted)}
        own = {"run": RunFolder(output).path, "frames": RunFolder(output).frames}
        for number, ((role, source), payload) in enumerate(zip(sources, payloads, strict=True)):
            own["after"] = output.parent / Path(source).parent.name
            role, _, index = role.partition(FRAME_OF)
            given = order.request.paths[role][int(index)] if index else Path(source)
            place = own.get(role) or Path(scratch, role, index or str(number), given.parent.name.strip("."))
            here = place / given.name
            path = (here if index and not is_numbered(given) else place) / Path(source).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(payload)
            if here not in paths.get(role, ()):
                paths[role] = (*paths.get(role, ()), here)
            client_paths |= {str(path): source, str(here): str(given)}
        request = replace(
            order.request,
            paths={role: found for role, found in paths.items() if role not in (*own, "weights")},
            settings=settings_naming(order.request.settings, paths),
            output=output,
        )
        made = make(replace(order, request=request), on_step=on_step)
        error = made.error
        for path_here, path_there in client_paths.items():
            error = error and error.replace(path_here, path_there)
        return replace(made, error=error, files=_payloads_of(output.parent))


def _payloads_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files of a run by their paths from a folder on."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@contextmanager
def on_dask(address: str, resources: Mapping[str, float], tell: Callable[[str], None]) -> Iterator[Executor]:
    """Yield an executor of the workers of a running Dask cluster. Each file is sent to the cluster once.

    resources  the resources that a worker must have to take an order
    tell       tells the user a line

    Raises UserError where there is no cluster, and RunError where the cluster is lost.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError(f"--dask: needs distributed; {install_extra('dask')}") from error
    try:
        _check_that_somebody_listens(address)
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"--dask {address}: no scheduler answers there; start one with 'dask scheduler'") from error
    stop = new_stop_name()
    with client:
        _check_code(client, address)
        if not client.nthreads():
            tell(f"--dask {address}: has no workers yet; waits for one")
        executor = client.get_executor(pure=False, **({"resources": dict(resources)} if resources else {}))
        sent: OrderedDict[str, Any] = OrderedDict()

        def submit(order: Order) -> Future[PictureResult]:
            found = _files_of(order)
            payloads = [_sent(client, sent, path) for _, path in found]
            sources = [(role, str(path)) for role, path in found]
            return executor.submit(make_on_other_disk, replace(order, stop=stop), sources, *payloads)

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
            raise RunError(f"--dask {address}: {error}") from error
        finally:
            executor.shutdown(wait=False)
            with suppress(OSError):
                client.run(remove_stop, stop, on_error="ignore")


def _check_that_somebody_listens(address: str) -> None:
    """Raise OSError or ValueError unless somebody listens at an address: else a Client would print a traceback."""
    from distributed.comm.addressing import parse_address, parse_host_port

    scheme, location = parse_address(address)
    if scheme in ("tcp", "tls"):
        socket.create_connection(parse_host_port(location), timeout=CONNECT_SECONDS).close()


def _files_of(order: Order) -> list[tuple[str, Path]]:
    """Return the role and the path of each file that a worker needs: inputs, weights, and checkpoints to resume.

    Of a clip that is frames, and of such a mask, the files are the frames; their role tells which input they are of.
    Besides those of inputs, there are the roles "run" for checkpoints, "frames" for the frames that are made already,
    and "after" for the ending of the scene that a scene goes on from.
    """
    paths, settings, output = dict(order.request.paths), order.request.settings, order.request.output
    if settings.weights not in WEIGHTS_WITHOUT_FILE:
        paths["weights"] = (Path(str(settings.weights)),)
    if output is not None and order.if_begun:
        folder = RunFolder(output)
        paths["run"] = tuple(path for path in (folder.checkpoint, folder.checkpoint_before) if path.exists())
        if paths["run"]:
            paths["frames"] = tuple(sorted(folder.frames.glob("*")))
    if output is not None and order.scene and order.scene.after is not None:
        paths["after"] = (ending_beside(output, order.scene.after),)
    found: list[tuple[str, Path]] = []
    for role, files in paths.items():
        for index, path in enumerate(files):
            found += [(f"{role}{FRAME_OF}{index}", frame) for frame in frames_of(path)] or [(role, path)]
    return found


def code_version() -> str:
    """Return the version of the code in the process that runs this function."""
    return nst.__version__


def _check_code(client: Any, address: str) -> None:
    """Raise UserError unless the scheduler and all workers have this program, in this version."""
    try:
        versions = {"the scheduler": client.run_on_scheduler(code_version), **client.run(code_version)}
    except ModuleNotFoundError as error:
        words = "install neural_art there, as docs/many-pictures.md shows"
        raise UserError(f"--dask {address}: a process there has no {error.name}; {words}") from error
    for place, found in versions.items():
        if found != nst.__version__:
            words = f"has neural_art {found}, not {nst.__version__}; give it the same code"
            raise UserError(f"--dask {address}: {place} {words}")


def _sent(client: Any, sent: OrderedDict[str, Any], path: Path) -> Any:
    """Return a file's bytes as the cluster holds them, sent now unless they are there; forget files long unused."""
    payload = path.read_bytes()
    digest = hashlib.sha256(payload).hexdigest()
    there = sent.pop(digest, None)
    if there is None or there[0].status != "finished":  # Lost with the worker that held the file.
        there = _scattered(client, payload), len(payload)
    sent[digest] = there
    while len(sent) > 1 and sum(size for _, size in sent.values()) > SENT_BYTES:
        sent.popitem(last=False)
    return there[0]


def _scattered(client: Any, payload: bytes) -> Any:
    """Send bytes to a worker, to another one where a worker is just dying. Raises OSError where the cluster is lost."""
    for _ in range(SEND_TRIES - 1):
        try:
            return client.scatter([payload], hash=False)[0]
        except OSError:  # The scheduler hangs up where its worker does.
            time.sleep(SECONDS_TO_RECOVER)
    return client.scatter([payload], hash=False)[0]
