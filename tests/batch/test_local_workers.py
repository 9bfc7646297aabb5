"""Who makes the pictures of a batch: whoever it is, the pixels are the same; and a worker may die."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

import neural_art
import nst
from nst.batch.dask_workers import _files_of, _scattered, make_on_other_disk
from nst.batch.local_workers import in_processes
from nst.batch.orders import Order, make, write_files
from nst.errors import UserError
from nst.network.loaded import forget_network
from nst.network.weights import EMBEDDED
from nst.pictures.picture_files import read_image, write_picture
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.record import deciding
from nst.run.request import Request, settings_naming
from nst.settings import make_settings
from nst.system.atomic_files import file_sha256
from nst.transfer.tiles import UNTILED_PX

SMALL = {"size": 32, "smallest_scale": 32, "steps": 3}
WORDS = ["--size", "128", "--smallest-scale", "64", "--steps", "8", "--checkpoint-every", "0.1"]
COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]


@pytest.fixture
def order(tmp_path, monkeypatch, content, style, tiny_weights):
    """Return an order of a picture, with a tiny network in place of VGG19."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst.network.weights.load_weights", lambda _source=None: tiny_weights)
    write_picture(Path("content.png"), content)
    write_picture(Path("style.png"), style)
    paths = {"content": (Path("content.png"),), "style": (Path("style.png"),)}
    forget_network()
    yield Order(Request(paths, make_settings(overrides=SMALL), Path("here/art.png")))
    forget_network()


def changed(order, **changes):
    """Return an order with changes in its request."""
    return replace(order, request=replace(order.request, **changes))


def elsewhere(order, on_step=()):
    """Make a picture as a worker does that shares no disk, where none of the client's files is to be seen."""
    found = _files_of(order)
    sources = [(role, str(path)) for role, path in found]
    return make_on_other_disk(order, sources, *(path.read_bytes() for _, path in found), on_step=on_step)


def test_a_picture_made_on_another_disk_is_the_same(order, content):
    mask = np.ones_like(content) * (np.arange(56) < 28)[None, :, None]
    write_picture(Path("mask.png"), mask.astype(np.float32))
    settings = replace(order.request.settings, init="style.png", style_mask=("mask.png",), content_mask="mask.png")
    masks = {role: (Path("mask.png"),) for role in ("style_mask", "content_mask")}
    order = changed(order, settings=settings, paths={**order.request.paths, "init": (Path("style.png"),), **masks})
    assert make(order).state == DONE
    there = changed(order, output=Path("there/art.png"))
    made = elsewhere(there)
    assert made.state == DONE
    write_files(there, made)
    np.testing.assert_array_equal(read_image(Path("here/art.png")), read_image(Path("there/art.png")))
    assert {path.name for path in Path("there/art").iterdir()} == {"losses.csv", "report.html", "settings.json"}
    assert file_sha256(Path("here/art/losses.csv")) == file_sha256(Path("there/art/losses.csv"))
    assert "neural_art_" not in Path("there/art/settings.json").read_text()


def test_weights_are_sent_too_and_found_where_they_are_placed(order):
    Path("vgg.npz").write_bytes(b"weights")
    order = changed(order, settings=replace(order.request.settings, weights="vgg.npz"))
    assert ("weights", Path("vgg.npz")) in _files_of(order)
    assert settings_naming(order.request.settings, {"weights": (Path("x/vgg.npz"),)}).weights == "x/vgg.npz"
    assert elsewhere(order).state == DONE


def test_errors_on_another_disk_name_the_clients_files(order):
    Path("content.png").write_bytes(b"no picture")
    made = elsewhere(order)
    assert (made.state, made.files) == (FAILED, {})
    assert made.error.startswith("content.png: is not a picture")


def test_a_worker_of_another_version_says_so(order):
    made = elsewhere(replace(order, version="0.0.9"))
    assert (made.state, made.error) == (
        FAILED,
        f"the worker has neural_art {nst.__version__}, not 0.0.9; give it the same code",
    )


def test_a_picture_stopped_on_another_disk_goes_on_there(order, monkeypatch, tmp_path):
    assert make(order).state == DONE
    order = replace(changed(order, output=Path("there/art.png")), stop="stop")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = elsewhere(order, on_step=[lambda *_: Path("stop").touch()])
    assert (made.state, made.signal) == (STOPPED, signal.SIGTERM)
    write_files(order, made)
    assert Path("there/art/checkpoint.npz").exists()
    assert elsewhere(order).state == STOPPED  # before it begins
    Path("stop").unlink()
    steps = []
    made = elsewhere(order, on_step=[lambda step, *_: steps.append(step.number)])
    assert (made.state, steps) == (DONE, [2, 3])
    write_files(order, made)
    np.testing.assert_array_equal(read_image(Path("here/art.png")), read_image(Path("there/art.png")))
    assert not list(Path("there/art").glob("checkpoint*"))


def test_what_a_dying_worker_does_not_take_goes_to_another(monkeypatch):
    monkeypatch.setattr("nst.batch.dask_workers.SECONDS_TO_RECOVER", 0)
    failures = [OSError("Stream is closed")] * 3

    class Client:
        def scatter(self, contents, hash):
            if failures:
                raise failures.pop()
            return contents

    assert _scattered(Client(), b"photo") == b"photo"
    failures += [OSError("Stream is closed")] * 4
    with pytest.raises(OSError, match="closed"):
        _scattered(Client(), b"photo")


def test_a_share_of_the_memory_is_planned_with_and_leaves_no_trace(order, monkeypatch):
    planned = []

    def plan(sizes, settings, most_mb):
        planned.append(settings.max_memory or most_mb)
        return UNTILED_PX

    monkeypatch.setattr("nst.run.job.plan_tile", plan)
    assert make(replace(order, most_mb=1500)).state == DONE
    assert json.loads(Path("here/art/settings.json").read_text())["settings"]["max_memory"] == 0
    settings = replace(order.request.settings, max_memory=2000.0)
    assert make(replace(changed(order, settings=settings, overwrite=True), most_mb=1500)).state == DONE
    assert planned == [1500, 2000]
    assert not {"threads", "max_memory", "tile"} & deciding(order.request.settings).keys()


def test_processes_share_the_memory_that_is_free(order, monkeypatch):
    taken = []

    class Pool:
        def __init__(self, workers, *_, **__):
            self.workers = workers

        def submit(self, function, order):
            taken.append((self.workers, order.most_mb))

        def shutdown(self, **_):
            pass

    monkeypatch.setattr("nst.batch.local_workers.ProcessPoolExecutor", Pool)
    for there in (8000, None):
        monkeypatch.setattr("nst.batch.local_workers.available_mb", lambda there=there: there)
        with in_processes(4) as crew:
            crew.submit(order)
    assert taken == [(4, 1800), (4, 0)]
    monkeypatch.setattr("nst.batch.local_workers.available_mb", lambda: 4000)
    message = r"--workers 4: leaves 900 MB of memory to each, of at least \d+ MB that it needs; give fewer"
    with pytest.raises(UserError, match=message), in_processes(4):
        pass


def eight(folder):
    """Make eight small photos, each another, with names of samples that are not those of samples."""
    folder.mkdir()
    photo = read_image(PROJECT / "images" / "cat.jpg")[::8, ::8]
    for number in range(8):
        write_picture(folder / f"photo{number}.png", np.roll(photo, 9 * number, axis=1))


def run(words, folder):
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Return a folder with eight photos in photos/, and in whole/ their pictures made by one process."""
    folder = tmp_path_factory.mktemp("eight")
    eight(folder / "photos")
    done = run(["photos", "stone.jpg", *WORDS, "-o", "whole"], folder)
    assert done.returncode == 0, done.stderr
    return folder


def assert_as_whole(folder, name):
    pictures = sorted((folder / "whole").glob("*.png"))
    assert len(pictures) == 8
    for path in pictures:
        np.testing.assert_array_equal(read_image(path), read_image(folder / name / path.name))


def wait_for(condition, seconds=120):
    for _ in range(seconds * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def children(process):
    """Return the processes that a process has started, as far as they are batch workers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == process and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def begun(folder):
    """Return the runs that have written a checkpoint after some steps."""
    return [path for path in folder.glob("*/checkpoint_before.npz") if path.exists()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_processes_make_the_same_and_one_may_be_killed(here):
    words = ["photos", "stone.jpg", *WORDS, "-o", "shared", "--workers", "2"]
    with subprocess.Popen([*COMMAND, *words], cwd=here, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: begun(here / "shared") or batch.poll() is not None)
        os.kill(children(batch.pid)[0], signal.SIGKILL)
        _, err = batch.communicate(timeout=300)
    assert batch.returncode == 0, err
    assert "its worker has died; another one takes it" in err
    assert_as_whole(here, "shared")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_processes_leave_nothing_behind_and_go_on(here, number):
    name = f"stopped{number}"
    words = ["photos", "stone.jpg", *WORDS, "-o", name, "--workers", "2"]
    with subprocess.Popen([*COMMAND, *words], cwd=here, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: begun(here / name) or batch.poll() is not None)
        workers = children(batch.pid)
        assert workers
        os.kill(batch.pid, number)
        _, err = batch.communicate(timeout=120)
    assert batch.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert "of 8 pictures are done; to go on: python neural_art.py photos" in err
        assert "Traceback" not in err
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), seconds=20)
    again = run(words, here)
    assert again.returncode == 0, again.stderr
    assert_as_whole(here, name)


class Cluster:
    """A Dask scheduler and two workers, each a process that has the code alone, without images/."""

    def __init__(self, folder):
        self.code = folder / "code"
        for name in ("nst", EMBEDDED.parent.name):
            shutil.copytree(PROJECT / name, self.code / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.scheduler_file = folder / "scheduler.json"
        self.processes = [self.start("scheduler")]
        wait_for(self.scheduler_file.exists)
        self.processes += [self.start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        self.address = json.loads(self.scheduler_file.read_text())["address"]

    def start(self, *words):
        files = ["--scheduler-file", str(self.scheduler_file), "--no-dashboard"]
        host = ["--host", "127.0.0.1", *(["--port", "0"] if words[0] == "scheduler" else [])]
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words, *files, *host],
            cwd=self.code,
            env={**os.environ, "PYTHONPATH": str(self.code)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    yield cluster
    for process in cluster.processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_dask_workers_without_the_disk_make_the_same_and_one_may_be_killed(here, cluster):
    name = cluster.address.rpartition(":")[2]
    words = ["photos", str(PROJECT / "images" / "stone.jpg"), *WORDS, "-o", name, "--dask", cluster.address]
    with subprocess.Popen([*COMMAND, *words], cwd=here, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: len(list((here / name).glob("*.png"))) >= 3 or batch.poll() is not None)
        cluster.processes[1].kill()
        _, err = batch.communicate(timeout=300)
    assert batch.returncode == 0, err
    assert_as_whole(here, name)


@pytest.mark.slow
def test_a_batch_on_dask_is_stopped_and_goes_on(here, cluster):
    name = cluster.address.rpartition(":")[2]
    words = ["photos", "stone.jpg", *WORDS, "-o", name, "--dask", cluster.address]
    with subprocess.Popen([*COMMAND, *words], cwd=here, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: list((here / name).glob("*.png")) or batch.poll() is not None)
        os.kill(batch.pid, signal.SIGTERM)
        _, err = batch.communicate(timeout=60)
    assert batch.returncode == 128 + signal.SIGTERM, err
    assert "of 8 pictures are done; to go on: " in err
    again = run(words, here)
    assert again.returncode == 0, again.stderr
    assert_as_whole(here, name)


def test_dask_is_named_where_it_is_missing_or_silent(order, capsys, monkeypatch):
    words = ["--batch", "jobs.csv", "-o", "out", "--dask", "tcp://127.0.0.1:9"]
    Path("jobs.csv").write_text("content,style\ncontent.png,style.png\n")
    monkeypatch.setattr("nst.batch.dask_workers.CONNECT_SECONDS", 0.2)
    assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
    assert "--dask tcp://127.0.0.1:9: no scheduler answers there; start one" in capsys.readouterr().err
    assert not Path("out").exists()
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
    assert "--dask: needs distributed; pip install -r requirements-dask.txt" in capsys.readouterr().err
