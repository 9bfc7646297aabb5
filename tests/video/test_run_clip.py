"""A clip from the command: written, stopped, resumed, refused."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT
from pages import Page, check_alone, check_readable
from PIL import Image

import neural_art
from nst.pictures.picture_files import write_picture
from nst.run.folder import RunFolder
from nst.video.clips import open_clip

av = pytest.importorskip("av")
SMALL = ["--size", "64", "--smallest-scale", "32", "--steps", "2", "--frame-steps", "1"]


@pytest.fixture
def here(tmp_path, monkeypatch, style):
    monkeypatch.chdir(tmp_path)
    write_picture(Path("style.png"), style)
    return tmp_path


def frames_of(path):
    return [frame.image for frame in open_clip(path).frames()]


def test_a_video_is_painted_frame_by_frame_with_its_times_and_its_sound(here, pan, write_clip, tiny, capsys):
    times = [0, 4, 8, 20, 24, 28, 32, 36]
    write_clip(here / "clip.mp4", pan, times, sound=True)
    assert neural_art.main(["clip.mp4", "style.png", *SMALL, "-o", "out.mp4"]) == 0
    out, err = capsys.readouterr()
    assert out == "out.mp4\n"
    assert "8 frames: about " in err and "64 px  frame 8/8" in err
    clip = open_clip(here / "out.mp4")
    assert (clip.size, clip.count, clip.sound) == ((42, 64), 8, True)
    found = list(clip.frames())
    assert [round(float(frame.time * clip.time_base) * 100) for frame in found] == times
    assert np.abs(found[0].image - found[-1].image).mean() > 0.005
    assert _sound(here / "out.mp4") == _sound(here / "clip.mp4")
    record = json.loads((here / "out" / "settings.json").read_text())
    assert (record["state"], record["frames"], record["files"]["content"]) == ("done", 8, ["clip.mp4"])
    assert sorted(path.name for path in (here / "out").iterdir()) == ["report.html", "settings.json"]
    page = Page(here / "out" / "report.html")
    check_alone(page, ["../out.mp4"])
    check_readable(page)
    text = page.text()
    assert "clip in the style of style" in text and "Frame 8" in text and "Frames 8" in text
    assert "python neural_art.py --settings-from out/settings.json" in text
    with av.open(str(here / "out.mp4")) as container:
        assert json.loads(container.metadata["comment"])["result"] == "out.mp4"


def _sound(path):
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.dts is not None]


@pytest.mark.parametrize(
    "suffix",
    ["mkv", "gif", *(pytest.param(suffix, marks=pytest.mark.slow) for suffix in ("mov", "webm", "webp", "png"))],
)
def test_the_suffix_chooses_the_kind_of_clip(here, pan, write_clip, tiny, suffix):
    write_clip(here / "clip.mp4", pan[:3])
    assert neural_art.main(["clip.mp4", "style.png", *SMALL, "-o", f"out.{suffix}", "--keep-frames"]) == 0
    assert len(frames_of(here / f"out.{suffix}")) == 3
    assert list((here / "out" / "frames").iterdir())


def test_numbered_pictures_and_folders_are_clips(here, pan, tiny):
    (here / "frames").mkdir()
    for number, image in enumerate(pan[:3], 7):
        write_picture(here / "frames" / f"{number:03d}.png", image)
    assert neural_art.main(["frames/%03d.png", "style.png", *SMALL, "-o", "a.mp4"]) == 0
    assert neural_art.main(["frames", "style.png", "--as-clip", *SMALL, "-o", "b.mp4"]) == 0
    for one, other in zip(frames_of(here / "a.mp4"), frames_of(here / "b.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("at", [pytest.param(2, marks=pytest.mark.slow), 5])
def test_a_stopped_clip_is_playable_and_goes_on_to_the_same_pixels(
    here, pan, write_clip, tiny, capsys, monkeypatch, at
):
    monkeypatch.setattr("nst.video.run_clip.LOT", 3)
    write_clip(here / "clip.mp4", pan)
    words = ["clip.mp4", "style.png", *SMALL]
    assert neural_art.main([*words, "-o", "whole.mp4"]) == 0

    def stop_at(progress, size):
        follow(progress, size)
        if progress.number == at:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        from nst.report.progress import Progress

        follow = Progress.follow_frame
        patch.setattr(Progress, "follow_frame", stop_at)
        assert neural_art.main([*words, "-o", "out.mp4"]) == 128 + signal.SIGTERM
    line = capsys.readouterr().err.splitlines()[-1]
    assert "out.mp4 is the clip so far; to go on: python neural_art.py --resume out" in line
    assert len(frames_of(here / "out.mp4")) == at
    assert json.loads((here / "out" / "settings.json").read_text())["state"] == "stopped"
    assert neural_art.main(["--resume", "out.mp4"]) == 0
    assert not RunFolder(here / "out.mp4").has_checkpoint()
    for one, other in zip(frames_of(here / "whole.mp4"), frames_of(here / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_dry_run_of_a_clip_writes_nothing(here, pan, write_clip, tiny, capsys):
    write_clip(here / "clip.mp4", pan)
    before = sorted(here.rglob("*"))
    assert neural_art.main(["clip.mp4", "style.png", *SMALL, "--dry-run", "-o", "out.mp4", "--end", "5f"]) == 0
    assert "64x43 px  5 frames" in capsys.readouterr().out
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.mp4", "style.png"], "none.mp4: no such file"),
        (["style.png", "style.png", "--as-clip"], "is a single picture"),
        (["clip.mp4", "style.png", "-o", "a.jpg"], "a.jpg: a clip is written as .mp4"),
        (["clip.mp4", "style.png", "-o", "clip.mp4", "--overwrite"], "is an input of this picture"),
        (["clip.mp4", "style.png", "--watch"], "--watch: does not go with a clip"),
        (["clip.mp4", "style.png", "-o", "-"], "-o -: does not go with a clip"),
        (["clip.mp4", "style.png", "--start", "99"], "has no frame from --start to --end"),
        (["clip.mp4", "style.png", "--codec", "h264", "-o", "a.webm"], "--codec h264: does not go into .webm"),
        (["clip.mp4", "style.png", "--codec", "h266"], "--codec h266: must be"),
    ],
)
def test_mistakes_with_clips_are_one_line(here, pan, write_clip, tiny, refused, words, message):
    write_clip(here / "clip.mp4", pan[:2])
    assert message in refused(words)


def test_a_library_that_is_missing_is_named(here, pan, write_clip, refused, monkeypatch):
    write_clip(here / "clip.mp4", pan[:2])
    for module, name in (("cv2", "opencv-python-headless"), ("av", "av")):
        with monkeypatch.context() as patch:
            patch.setitem(__import__("sys").modules, module, None)
            line = refused(["clip.mp4", "style.png"])
        assert name in line and "pip install -r requirements-video.txt" in line


def test_a_stopped_animation_goes_on_as_one(here, pan, tiny, monkeypatch):
    from nst.report.progress import Progress

    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan[:4]]
    images[0].save("a.gif", save_all=True, append_images=images[1:], duration=100)
    follow = Progress.follow_frame

    def stop(progress, size):
        follow(progress, size)
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "follow_frame", stop)
        assert neural_art.main(["a.gif", "style.png", "--as-clip", *SMALL, "-o", "b.webp"]) == 143
    assert neural_art.main(["--resume", "b.webp"]) == 0
    assert len(frames_of(here / "b.webp")) == 4


def test_an_animated_picture_stays_a_picture_unless_asked_for(here, pan, tiny):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan[:3]]
    images[0].save("a.gif", save_all=True, append_images=images[1:], duration=100)
    assert neural_art.main(["a.gif", "style.png", *SMALL, "-o", "still.png"]) == 0
    assert neural_art.main(["a.gif", "style.png", *SMALL, "--as-clip", "-o", "moving.gif"]) == 0
    assert len(frames_of(here / "moving.gif")) == 3


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")
def test_a_killed_clip_goes_on_to_the_same_pixels(here, pan, write_clip):
    """The real command and the real weights."""
    write_clip(here / "clip.mp4", pan * 3)
    program = [sys.executable, str(PROJECT / "neural_art.py")]
    words = [*program, "clip.mp4", "style.png", *SMALL, "--checkpoint-every", "0.2"]
    subprocess.run([*words, "-o", "whole.mp4"], check=True, capture_output=True)
    killed = 0
    command = [*words, "-o", "out.mp4"]
    while True:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            before = None
            while run.poll() is None and killed < 3:
                path = here / "out" / "checkpoint.npz"
                now = path.stat().st_mtime if path.exists() else None
                before = before or now
                if now and now != before:  # a frame later
                    run.kill()
                    killed += 1
                    break
                time.sleep(0.02)
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL
        command = [*program, "--resume", "out"]
    assert killed >= 1
    for one, other in zip(frames_of(here / "whole.mp4"), frames_of(here / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not list((here / "out").glob(".*"))
