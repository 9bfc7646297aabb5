"""Who makes the pictures of a batch: whoever it is, the pixels are the same; and a worker may die."""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

from nst.batch.local_workers import _Worker, in_processes
from nst.batch.orders import PictureResult
from nst.errors import UserError
from nst.network.device import network_precision
from nst.network.weights import EMBEDDED
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize
from nst.run.memory_plan import PROCESSOR

# One thread for each picture: on some processors, another number of threads rounds a few pixels to the next level.
WORDS = ["--size", "128", "--smallest-scale", "64", "--steps", "8", "--checkpoint-every", "0.1", "--threads", "1"]
COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]


def test_processes_share_the_memory_that_is_free(order, memory, monkeypatch):
    taken = []

    class Pool:
        def __init__(self, *_, **__):
            pass

        def submit(self, function, order):
            taken.append(order.most_mb)

        def shutdown(self, **_):
            pass

    monkeypatch.setattr("nst.batch.local_workers.ProcessPoolExecutor", Pool)
    memory(8_000)
    with in_processes(4) as crew:
        crew.submit(order)
    assert taken == [1800]
    memory(4_000)
    message = r"--workers 4: leaves 900 MB of memory to each, of at least \d+ MB that it needs; give fewer"
    with pytest.raises(UserError, match=message), in_processes(4):
        pass


@pytest.fixture
def worker():
    worker = _Worker(multiprocessing.get_context("spawn"), 1, None)
    yield worker
    worker.close()


@pytest.mark.slow
def test_a_worker_that_died_between_two_pictures_is_renewed(worker, order):
    """Or else its picture counts as one over which a worker died, which a batch hands out again."""
    bad = replace(order, request=replace(order.request, paths={"content": (Path("none.png"),), "style": ()}))
    assert worker.submit(bad).result(60).state == "failed"
    (process,) = worker.pool._processes.values()
    process.terminate()
    process.join()
    try:
        made = worker.submit(bad).result(60)
    except BrokenProcessPool:  # The death was not known yet.
        made = worker.submit(bad).result(60)
    assert made.state == "failed"


def test_a_new_process_is_never_too_large(order, monkeypatch):
    """Else, a photo that takes much memory would be handed out for ever."""
    given = []

    class Pool:
        def __init__(self, *_, **__):
            pass

        def submit(self, function, order):
            given.append(order.renewable)
            future = Future()
            future.set_result(PictureResult("grown"))
            return future

        def shutdown(self, **_):
            pass

    monkeypatch.setattr("nst.batch.local_workers.ProcessPoolExecutor", Pool)
    worker = _Worker(multiprocessing.get_context("spawn"), 1, None)
    for _ in range(3):
        worker.submit(order)
    assert given == [False] * 3


def eight(folder):
    """Make eight small photos, each another, with names of samples that are not those of samples."""
    folder.mkdir()
    photo = read_image(PROJECT / "images" / "cat.jpg")[::8, ::8]
    for number in range(8):
        write_picture(folder / f"photo{number}.png", np.roll(photo, 9 * number, axis=1))


def run(words, folder):
    return subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
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
def test_processes_make_the_same_and_one_may_be_killed(folder):
    words = ["photos", "stone.jpg", *WORDS, "-o", "shared", "--workers", "2"]
    with subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: begun(folder / "shared") or batch.poll() is not None)
        os.kill(children(batch.pid)[0], signal.SIGKILL)
        _, err = batch.communicate(timeout=300)
    assert batch.returncode == 0, err
    assert "its worker has died; another one takes it" in err
    assert_as_whole(folder, "shared")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_stopped_processes_leave_nothing_behind_and_go_on(folder, signal_name):
    name, number = f"stopped_{signal_name}", signal.Signals[signal_name]
    words = ["photos", "stone.jpg", *WORDS, "-o", name, "--workers", "2"]
    with subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: begun(folder / name) or batch.poll() is not None)
        workers = children(batch.pid)
        assert workers
        os.kill(batch.pid, number)
        _, err = batch.communicate(timeout=120)
    assert batch.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert "of 8 pictures are done; to go on: python neural_art.py photos" in err
        assert "Traceback" not in err
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), seconds=20)
    again = run(words, folder)
    assert again.returncode == 0, again.stderr
    assert_as_whole(folder, name)


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
def test_dask_workers_without_the_disk_make_the_same_and_one_may_be_killed(folder, cluster):
    name = cluster.address.rpartition(":")[2]
    words = ["photos", str(PROJECT / "images" / "stone.jpg"), *WORDS, "-o", name, "--dask", cluster.address]
    with subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: len(list((folder / name).glob("*.png"))) >= 3 or batch.poll() is not None)
        cluster.processes[1].kill()
        _, err = batch.communicate(timeout=300)
    assert batch.returncode == 0, err
    assert_as_whole(folder, name)


@pytest.mark.slow
def test_a_batch_on_dask_is_stopped_and_goes_on(folder, cluster):
    name = cluster.address.rpartition(":")[2]
    words = ["photos", "stone.jpg", *WORDS, "-o", name, "--dask", cluster.address]
    with subprocess.Popen([*COMMAND, *words], cwd=folder, stderr=subprocess.PIPE, text=True) as batch:
        wait_for(lambda: list((folder / name).glob("*.png")) or batch.poll() is not None)
        os.kill(batch.pid, signal.SIGTERM)
        _, err = batch.communicate(timeout=60)
    assert batch.returncode == 128 + signal.SIGTERM, err
    assert "of 8 pictures are done; to go on: " in err
    again = run(words, folder)
    assert again.returncode == 0, again.stderr
    assert_as_whole(folder, name)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="reads memory from /proc")
def test_a_hundred_photos_of_a_hundred_shapes_stay_within_the_memory_that_a_batch_may_take(tmp_path):
    """TensorFlow keeps compiled code for each shape, so that processes are renewed."""
    most_mb = PROCESSOR.base_mb[network_precision("auto")] + 100
    (tmp_path / "photos").mkdir()
    photo = read_image(PROJECT / "images" / "cat.jpg")
    for number in range(100):
        height = 60 + 2 * number
        write_picture(tmp_path / "photos" / f"{number}.png", resize(photo, (height, 128)))
    size = ["--size", "128", "--smallest-scale", "128", "--steps", "1", "--checkpoint-every", "0"]
    words = ["photos", "stone.jpg", *size, "--max-memory", f"{most_mb}MB", "-o", "out", "--json"]
    peaks = {}
    with (
        (tmp_path / "events").open("w") as events,
        subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=events, text=True) as batch,
    ):
        while batch.poll() is None:
            for process in (batch.pid, *children(batch.pid)):
                with contextlib.suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{process}/status").read_text().splitlines()
                    peak = next(line for line in lines if line.startswith("VmHWM"))
                    peaks[process] = int(peak.split()[1]) * 1024 / 1e6
            time.sleep(0.05)
        told = json.loads(batch.stdout.read())
    assert [job["state"] for job in told["jobs"]] == ["done"] * 100
    assert max(peaks.values()) < most_mb, peaks
    assert 3 <= len(peaks) < 60, peaks
    lines = list(map(json.loads, (tmp_path / "events").read_text().splitlines()))
    assert [line["job"] for line in lines if line["event"] == "step"] == [
        Path(job["path"]).name for job in told["jobs"]
    ]
