"""A clip made scene by scene: the pixels of one process, whoever makes the scenes and wherever it is stopped."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT

import neural_art
from nst.batch.dask_workers import _files_of, make_on_other_disk
from nst.batch.orders import Executor, make
from nst.errors import RunError
from nst.pictures.picture_files import read_image, write_picture
from nst.report.progress import Progress
from nst.video.clips import open_clip

pytest.importorskip("av")
SMALL = ["--size", "48", "--smallest-scale", "32", "--steps", "2", "--frame-steps", "1"]
WORDS = ["clip.mp4", "style.png", *SMALL]


@pytest.fixture
def clip(here, monkeypatch, style, pan, write_clip, tiny):
    """Be in a folder with a clip of four scenes, of which the third goes on from the first, and the last from that."""
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))
    write_picture(Path("style.png"), style)
    dark = [np.ascontiguousarray(1 - image[::-1, :, ::-1]) ** 3 for image in pan]
    write_clip(here / "clip.mp4", [*pan[:3], *dark[:2], *pan[3:5], *dark[2:5]])
    return here


def frames_of(path):
    return [frame.image for frame in open_clip(Path(path)).frames()]


def assert_same_frames(one, other):
    for first, second in zip(frames_of(one), frames_of(other), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.fixture
def elsewhere(monkeypatch):
    """Put workers that share no disk in place of a cluster; return the orders that they get."""
    orders = []

    @contextmanager
    def on_dask(address, resources, tell):
        def submit(order):
            orders.append(order)
            found = _files_of(order)
            sources = [(role, str(path)) for role, path in found]
            future = Future()
            future.set_result(make_on_other_disk(order, sources, *(path.read_bytes() for _, path in found)))
            return future

        yield Executor(submit, lambda: 2)

    monkeypatch.setattr("nst.batch.clip_scenes.on_dask", on_dask)
    return orders


@pytest.fixture
def here_as_workers(monkeypatch):
    """Put this process in place of two workers; return a list of the scenes that it gets, by number.

    A function in `before` is called before each scene.
    """
    got, before = [], []

    @contextmanager
    def in_processes(workers, progress_of):
        def submit(order):
            got.append(order.scene.number)
            future = Future()
            try:
                for call in before:
                    call(order)
                future.set_result(make(order, progress_of(order)))
            except BrokenExecutor as error:
                future.set_exception(error)
            return future

        yield Executor(submit, lambda: workers)

    monkeypatch.setattr("nst.batch.clip_scenes.in_processes", in_processes)
    return got, before


def test_scenes_made_apart_are_the_clip_of_one_process(clip, here_as_workers, elsewhere, capsys):
    assert neural_art.main([*WORDS, "-o", "whole.mp4", "--keep-frames"]) == 0
    assert sorted(int(path.stem) for path in Path("whole/frames").iterdir()) == [0, 3, 5, 7]  # A scene begins a lot.
    capsys.readouterr()
    assert neural_art.main([*WORDS, "-o", "apart.mp4", "--workers", "2"]) == 0
    out, err = capsys.readouterr()
    assert out == "apart.mp4\n" and "48 px  frame 10/10" in err
    assert here_as_workers[0] == [0, 1, 2, 3]
    assert neural_art.main([*WORDS, "-o", "far.mp4", "--dask", "tcp://nowhere"]) == 0
    assert [order.scene.after for order in elsewhere] == [None, None, 0, 1]
    for name in ("apart", "far"):
        assert_same_frames("whole.mp4", f"{name}.mp4")
        assert sorted(path.name for path in Path(name).iterdir()) == ["report.html", "settings.json"]
        record = json.loads(Path(name, "settings.json").read_text())
        assert (record["state"], record["frames"], record["result"]) == ("done", 10, f"{name}.mp4")


@pytest.mark.slow
def test_animations_and_kept_frames(clip, here_as_workers):
    assert neural_art.main([*WORDS, "-o", "whole.gif", "--keep-frames"]) == 0
    assert neural_art.main([*WORDS, "-o", "apart.gif", "--keep-frames", "--workers", "2"]) == 0
    for path in Path("whole/frames").iterdir():
        assert path.read_bytes() == Path("apart/frames", path.name).read_bytes()
    assert_same_frames("whole.gif", "apart.gif")
    assert not Path("apart/scenes").exists()


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 4])
def test_a_clip_stopped_between_its_scenes_goes_on_with_what_is_left(clip, here_as_workers, capsys, monkeypatch, at):
    got, _ = here_as_workers
    assert neural_art.main([*WORDS, "-o", "whole.mp4"]) == 0
    seen, follow = [], Progress.follow_frame

    def stop_at(progress, size):
        follow(progress, size)
        if progress.renderer.__class__.__name__ == "_SceneEvents":
            seen.append(progress.number)
            if len(seen) == at:
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Progress, "follow_frame", stop_at)
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--workers", "2"]) == 128 + signal.SIGTERM
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith("to go on: python neural_art.py --resume out --workers 2")
    assert Path("out.mp4").exists() == (at == 4)
    if at == 4:
        assert len(frames_of("out.mp4")) == 3
    got.clear()
    words = ["--resume", "out", *(["--workers", "2"] if at == 4 else [])]
    assert neural_art.main(words) == 0
    assert len(seen) == 10  # no frame twice
    assert got == ([1, 2, 3] if at == 4 else [])
    assert_same_frames("whole.mp4", "out.mp4")


@pytest.fixture
def numbered(clip, pan):
    """Write numbered frames of three scenes, of which the first repeats a frame, and a mask of numbered pictures."""
    dark = [np.ascontiguousarray(1 - image[::-1, :, ::-1]) ** 3 for image in pan]
    frames = [pan[0], pan[1], pan[1], dark[0], dark[1], pan[2], pan[3]]
    for folder in ("pictures", "masks"):
        Path(folder).mkdir()
    for number, frame in enumerate(frames):
        mask = np.zeros_like(frame)
        mask[:, : 24 + 10 * number] = 1
        write_picture(Path(f"pictures/{number:02d}.png"), frame)
        write_picture(Path(f"masks/{number:02d}.png"), mask)
    return ["pictures/%02d.png", "style.png", *SMALL, "--content-mask", "masks/%02d.png", "-o"]


def assert_same_folders(one, other):
    names = [sorted(path.name for path in Path(folder).iterdir()) for folder in (one, other)]
    assert names[0] == names[1] == [*(f"{number:04d}.png" for number in range(1, 8)), "report.html", "settings.json"]
    for name in names[0][:7]:
        np.testing.assert_array_equal(read_image(Path(one, name)), read_image(Path(other, name)))


@pytest.mark.slow
def test_masks_that_are_clips_and_folders_of_frames_go_with_scenes_made_apart(numbered, here_as_workers, elsewhere):
    words = ["--bit-depth", "16"]
    assert neural_art.main([*numbered, "whole", *words]) == 0
    assert neural_art.main([*numbered, "apart", *words, "--workers", "2"]) == 0
    assert here_as_workers[0] == [0, 1, 2]
    assert neural_art.main([*numbered, "far", *words, "--dask", "tcp://nowhere"]) == 0
    assert [order.scene.after for order in elsewhere] == [None, None, 0]
    for name in ("apart", "far"):
        assert_same_folders("whole", name)
        assert Path(name, "0001.png").read_bytes()[24] == 16
    repeated = [read_image(Path("whole", name)) for name in ("0002.png", "0003.png")]
    assert np.abs(repeated[1] - repeated[0]).max() > 0.02  # The mask has grown meanwhile.


@pytest.mark.slow
def test_a_folder_of_frames_has_the_scenes_that_are_done_after_a_stop(numbered, here_as_workers, capsys, refused):
    got, before = here_as_workers
    assert neural_art.main([*numbered, "whole"]) == 0
    before.append(lambda order: order.scene.number == 1 and signal.raise_signal(signal.SIGTERM))
    assert neural_art.main([*numbered, "art", "--workers", "1"]) == 128 + signal.SIGTERM
    assert "art is the clip so far; to go on: " in capsys.readouterr().err.splitlines()[-1]
    assert sorted(path.name for path in Path("art").glob("0*")) == [f"{number:04d}.png" for number in range(1, 6)]
    before.clear()
    got.clear()
    assert "--watch: does not show a clip that workers have begun" in refused(["--resume", "art", "--watch"])
    assert neural_art.main(["--resume", "art", "--workers", "1"]) == 0
    assert got == [2]
    assert_same_folders("whole", "art")


@pytest.mark.slow
def test_a_folder_of_the_users_in_the_place_of_the_scenes_stays(numbered, refused):
    Path("art/scenes").mkdir(parents=True)
    Path("art/scenes/mine.txt").touch()
    assert "art/scenes: is where the scenes of this run would be" in refused([*numbered, "art", "--workers", "2"])
    Path("out/frames").mkdir(parents=True)
    Path("out/frames/mine.txt").touch()
    assert neural_art.main([*WORDS, "-o", "out.gif", "--end", "5f", "--workers", "1", "--keep-frames"]) == 0
    assert sorted(path.name for path in Path("out/frames").iterdir())[-2:] == ["0000004.png", "mine.txt"]


@pytest.mark.slow
def test_a_scene_that_runs_out_of_memory_is_told_in_a_line_and_goes_on_later(
    numbered, here_as_workers, capsys, monkeypatch, out_of_memory
):
    got, before = here_as_workers
    assert neural_art.main([*numbered, "whole"]) == 0
    with monkeypatch.context() as patch:
        before.append(lambda order: order.scene.number == 1 and patch.setattr("nst.video.frames.adam", out_of_memory))
        assert neural_art.main([*numbered, "art", "--workers", "1"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "scene 2: out of memory; give a smaller --tile, such as 512, or" in line
    assert "; 1 of 3 scenes are done; to go on: " in line
    before.clear()
    got.clear()
    when = Path("art/scenes/frames/0004.png").stat().st_mtime_ns
    assert neural_art.main(["--resume", "art", "--workers", "1"]) == 0
    assert got == [1, 2]
    assert_same_folders("whole", "art")
    assert Path("art/0004.png").stat().st_mtime_ns == when


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_scene_a_new_one(clip, here_as_workers, capsys):
    got, before = here_as_workers
    deaths = []

    def die_once(order):
        if order.scene.number == 1 and len(deaths) < most:
            deaths.append(order)
            raise BrokenExecutor

    before.append(die_once)
    most = 1
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--workers", "2"]) == 0
    assert sorted(got) == [0, 1, 1, 2, 3]
    assert "scene 2: its worker has died; another one takes it" in capsys.readouterr().err
    most = 99
    assert neural_art.main([*WORDS, "-o", "other.mp4", "--workers", "2"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "scene 2: its worker has died, 3 times" in line and "to go on:" in line


def test_a_scene_that_fails_ends_the_run_and_leaves_the_others_done(clip, here_as_workers, capsys):
    _, before = here_as_workers
    before.append(lambda order: order.scene.number == 2 and Path("style.png").unlink())
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--workers", "1"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "scene 3: style.png: " in line and "2 of 4 scenes are done; to go on: " in line


def test_a_mistake_of_the_program_in_a_scene_keeps_its_traceback(clip, here_as_workers, capsys, monkeypatch):
    monkeypatch.setattr("nst.video.frames.Maker.make", lambda maker, memory, frame: 1 / 0)
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--workers", "2"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err and "scene 1: ZeroDivisionError: " in err.splitlines()[-1]


def test_a_cluster_that_is_lost_is_told_with_the_way_on(clip, monkeypatch, capsys):
    @contextmanager
    def on_dask(address, resources, tell):
        yield Executor(lose, lambda: 1)

    def lose(order):
        raise RunError("--dask tcp://nowhere: is lost")

    monkeypatch.setattr("nst.batch.clip_scenes.on_dask", on_dask)
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--dask", "tcp://nowhere"]) == 1
    way_on = "to go on: python neural_art.py --resume out --dask tcp://nowhere"
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"is lost; 0 of 4 scenes are done; {way_on}")


def test_a_clip_of_one_scene_is_made_as_without_workers(clip, pan, write_clip, here_as_workers, capsys):
    write_clip(clip / "one.mp4", pan[:3])
    assert neural_art.main(["one.mp4", *WORDS[1:], "-o", "out.mp4", "--workers", "4"]) == 0
    assert "the clip has one scene, which one process makes" in capsys.readouterr().err
    assert here_as_workers[0] == [] and len(frames_of("out.mp4")) == 3


def test_events_of_scenes_count_the_frames_of_all(clip, here_as_workers, capsys):
    assert neural_art.main([*WORDS, "-o", "out.mp4", "--workers", "2", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["number"] for event in events if event["event"] == "frame"] == list(range(1, 11))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["style.png", "style.png", "--workers", "2"], "--workers: is for many pictures; give"),
        (["clip.mp4", "style.png", "--workers", "2", "--dask", "tcp://a:1"], "--workers and --dask: are two ways"),
        (["clip.mp4", "style.png", "--force"], "--force: is for many pictures"),
        (["none.mp4", "style.png", "--workers", "2"], "none.mp4: no such file"),
        ([*WORDS, "--workers", "2", "--watch"], "--watch and --workers: only what this process makes can be watched"),
        ([*WORDS, "--dask", "tcp://127.0.0.1:9"], "no scheduler answers there"),
    ],
)
def test_mistakes_are_one_line(clip, refused, monkeypatch, words, message):
    monkeypatch.setattr("nst.batch.dask_workers.CONNECT_SECONDS", 0.2)
    assert message in refused(words)
    assert not Path("output").exists() or not list(Path("output").iterdir())


@pytest.mark.slow
def test_scenes_made_by_a_cluster_are_the_clip_of_one_process(clip, capsys):
    distributed = pytest.importorskip("distributed")
    assert neural_art.main([*WORDS, "-o", "whole.mp4"]) == 0
    options = {"threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, **options) as cluster:
        words = ["--dask", cluster.scheduler_address]
        assert neural_art.main([*WORDS, "-o", "far.mp4", *words]) == 0
        assert neural_art.main(["clip.mp4", *WORDS[1:], "--sweep", "seed=1,2", "-o", "out", *words]) == 0
    assert_same_frames("whole.mp4", "far.mp4")
    assert len(list(Path("out").glob("*.mp4"))) == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")
def test_a_clip_whose_client_was_killed_makes_no_scene_twice(clip):
    """The real command and the real weights, with two processes."""
    command = [sys.executable, str(PROJECT / "neural_art.py")]
    words = [*command, *WORDS, "--checkpoint-every", "0.2"]
    subprocess.run([*words, "-o", "whole.mp4"], check=True, capture_output=True)
    ending = Path("out/scenes/0000/ending.npz")
    with subprocess.Popen(
        [*words, "-o", "out.mp4", "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        while not ending.exists():
            assert run.poll() is None
            time.sleep(0.02)
        run.kill()
    before = Path("out/scenes/frames/0000000.mp4").stat().st_mtime_ns
    with subprocess.Popen([*command, "--resume", "out", "--workers", "2"], stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and ending.exists():
            with contextlib.suppress(FileNotFoundError):
                assert Path("out/scenes/frames/0000000.mp4").stat().st_mtime_ns == before
            time.sleep(0.02)
    assert run.returncode == 0
    assert_same_frames("whole.mp4", "out.mp4")
