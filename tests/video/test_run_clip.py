"""A clip from the command: written, stopped, resumed, refused."""

import errno
import json
import os
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
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE
from nst.run.folder import RunFolder
from nst.video.clips import open_clip
from nst.video.store import Store

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


@pytest.mark.parametrize("name", ["art/", pytest.param("art", marks=pytest.mark.slow)])
def test_a_folder_takes_the_frames(here, frames, tiny, capsys, refused, name):
    words = ["frames/%04d.png", "style.png", *SMALL, "-o", name]
    assert neural_art.main([*words, "--bit-depth", "16"]) == 0
    assert capsys.readouterr().out == "art\n"
    numbered = [f"{number:04d}.png" for number in range(1, 5)]
    assert sorted(path.name for path in (here / "art").iterdir()) == [*numbered, "report.html", "settings.json"]
    assert (here / "art" / "0001.png").read_bytes()[24] == 16
    first = read_image(here / "art" / "0001.png")
    assert "art/0001.png: exists already; give --overwrite to replace it, or another -o" in refused(words)
    (here / "art" / "notes.txt").write_text("mine")
    (here / "art" / "0009.png").write_text("mine")
    assert neural_art.main([*words, "--overwrite", "--end", "2f"]) == 0
    there = ["0001.png", "0002.png", "0009.png", "notes.txt", "report.html", "settings.json"]
    assert sorted(path.name for path in (here / "art").iterdir()) == there
    assert (here / "art" / "0001.png").read_bytes()[24] == 8
    assert np.abs(read_image(here / "art" / "0001.png") - first).max() < 0.51 / 255


@pytest.mark.slow
def test_a_stopped_folder_of_frames_goes_on_to_the_same_pixels(here, frames, tiny, stopped_after, refused):
    words = ["frames", "style.png", "--as-clip", *SMALL, "-o"]
    assert neural_art.main([*words, "whole"]) == 0
    line = stopped_after(2, [*words, "art"])
    assert "art is the clip so far; to go on: python neural_art.py --resume art" in line
    assert sorted(path.name for path in (here / "art").glob("0*")) == ["0001.png", "0002.png"]
    assert "art: holds a run that was stopped" in refused([*words, "art"])
    assert neural_art.main(["--resume", "art"]) == 0
    assert not RunFolder(here / "art").has_checkpoint()
    for number in range(1, 5):
        name = f"{number:04d}.png"
        np.testing.assert_array_equal(read_image(here / "art" / name), read_image(here / "whole" / name))


@pytest.mark.slow
def test_a_folder_of_the_users_in_that_of_the_run_stays(here, frames, tiny, refused):
    (here / "art").mkdir()
    frames.rename(here / "art" / "frames")
    words = ["art/frames/%04d.png", "style.png", *SMALL, "--end", "2f"]
    assert "art/frames: is where the frames of this run would be" in refused([*words, "-o", "art.mp4"])
    assert neural_art.main([*words, "-o", "art"]) == 0
    assert len(list((here / "art" / "frames").iterdir())) == 4
    (here / "b" / "frames").mkdir(parents=True)
    for name in ("0001.png", "notes.txt"):
        (here / "b" / "frames" / name).write_text("mine")
    assert neural_art.main([*words, "-o", "b.gif"]) == 0
    assert sorted(path.name for path in (here / "b" / "frames").iterdir()) == ["0001.png", "notes.txt"]
    assert len(frames_of(here / "b.gif")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frames/%04d.png", "style.png", "-o", "frames"], "frames: is an input of this picture"),
        (["frames", "style.png", "--as-clip", "-o", "frames/", "--overwrite"], "frames: is an input of this picture"),
        (["frames/%04d.png", "style.png", "-o", "art.v2/"], "or a folder whose name has no dot"),
        (["frames/%04d.png", "style.png", "-o", "file"], "file: is a file, where the folder of this run would be"),
        (["frames/%04d.png", "style.png", "-o", "a.gif", "--bit-depth", "16"], "a.gif: a clip as .gif holds 8 bits"),
        (["frames/%05d.jpg", "style.png"], "frames/%05d.jpg: no picture has such a name and number"),
        (["empty", "style.png", "--as-clip"], "empty: is a folder without pictures"),
    ],
)
def test_mistakes_with_frames_are_one_line(here, frames, tiny, refused, words, message):
    (here / "file").touch()
    (here / "empty").mkdir()
    (here / "art.v2").mkdir()
    before = sorted(here.rglob("*"))
    assert message in refused(words)
    assert sorted(here.rglob("*")) == before


@pytest.mark.slow
def test_a_frame_that_vanishes_costs_nothing_that_is_done(here, frames, tiny, capsys, monkeypatch):
    follow, last = Progress.follow_frame, (frames / "0003.png").read_bytes()

    def lose(progress, size):
        follow(progress, size)
        (frames / "0003.png").unlink(missing_ok=True)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "follow_frame", lose)
        assert neural_art.main(["frames/%04d.png", "style.png", *SMALL, "-o", "art"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "frames/0003.png: no such file" in line and "to go on: python neural_art.py --resume art" in line
    (frames / "0003.png").write_bytes(last)
    assert neural_art.main(["--resume", "art"]) == 0
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    "output", ["out.mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("out.gif", "out"))]
)
def test_a_full_disk_is_told_in_a_line_and_the_run_goes_on_later(
    here, frames, tiny, stopped_after, capsys, monkeypatch, output
):
    """Of a disk that is full, PyAV tells by an error of its own."""
    stopped_after(2, ["frames/%04d.png", "style.png", *SMALL, "-o", output])

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full_of_pyav(*_, **__):
        raise av.error.OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_encode", full_of_pyav)
        patch.setattr(Store, "_animate", full)
        patch.setattr("nst.video.store.write_picture", full)
        assert neural_art.main(["--resume", "out"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("neural_art: ") and "No space left on device; to go on: " in line
    assert neural_art.main(["--resume", "out"]) == 0
    assert "4/4" in capsys.readouterr().err


@pytest.mark.slow
def test_a_clip_that_runs_out_of_memory_is_told_in_a_line_and_goes_on_later(
    here, frames, tiny, capsys, monkeypatch, out_of_memory
):
    words = ["frames/%04d.png", "style.png", *SMALL, "-o"]
    assert neural_art.main([*words, "whole"]) == 0
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("nst.video.frames.adam", out_of_memory)
        assert neural_art.main([*words, "art"]) == 1
    lines = capsys.readouterr().err.splitlines()
    way_on = "to go on: python neural_art.py --resume art"
    assert lines[-1] == f"neural_art: out of memory; give a smaller --tile, such as 512, or a smaller --size; {way_on}"
    assert not any("Traceback" in line for line in lines)
    when = (here / "art" / "0001.png").stat().st_mtime_ns
    assert neural_art.main(["--resume", "art"]) == 0
    assert (here / "art" / "0001.png").stat().st_mtime_ns == when
    for number in range(1, 5):
        name = f"{number:04d}.png"
        np.testing.assert_array_equal(read_image(here / "art" / name), read_image(here / "whole" / name))


def test_numbered_pictures_and_folders_are_clips(here, pan, tiny):
    (here / "frames").mkdir()
    for number, image in enumerate(pan[:3], 7):
        write_picture(here / "frames" / f"{number:03d}.png", image)
    assert neural_art.main(["frames/%03d.png", "style.png", *SMALL, "-o", "a.mp4"]) == 0
    assert neural_art.main(["frames", "style.png", "--as-clip", *SMALL, "-o", "b.mp4"]) == 0
    for one, other in zip(frames_of(here / "a.mp4"), frames_of(here / "b.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def stopped_after(monkeypatch, capsys):
    """Return a function that runs the command, stops it after so many frames, and returns its last line."""

    def run(number, words):
        follow = Progress.follow_frame

        def stop(progress, size):
            follow(progress, size)
            if progress.number == number:
                signal.raise_signal(signal.SIGTERM)

        with monkeypatch.context() as patch:
            patch.setattr(Progress, "follow_frame", stop)
            assert neural_art.main(words) == 128 + signal.SIGTERM
        return capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.fixture
def frames(here, pan):
    """Four numbered pictures in a folder."""
    (here / "frames").mkdir()
    for number, image in enumerate(pan[:4], 1):
        write_picture(here / "frames" / f"{number:04d}.png", image)
    return here / "frames"


@pytest.mark.parametrize(
    "content", [["frames/%04d.png"], pytest.param(["frames", "--as-clip"], marks=pytest.mark.slow)]
)
def test_numbered_pictures_go_on_with_resume_alone(here, frames, tiny, stopped_after, content):
    stopped_after(2, [*content, "style.png", *SMALL, "-o", "out.gif"])
    assert neural_art.main(["--resume", "out"]) == 0
    assert len(frames_of(here / "out.gif")) == 4


@pytest.mark.slow
def test_a_folder_of_frames_is_found_again_from_its_record(here, frames, tiny):
    assert neural_art.main(["frames", "style.png", "--as-clip", *SMALL, "-o", "out.gif", "--end", "2f"]) == 0
    assert neural_art.main(["--settings-from", "out/settings.json", "-o", "again.gif"]) == 0
    for one, other in zip(frames_of(here / "out.gif"), frames_of(here / "again.gif"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbered_pictures_that_have_changed_are_not_gone_on_with(here, frames, pan, tiny, stopped_after, refused):
    stopped_after(1, ["frames/%04d.png", "style.png", *SMALL, "-o", "out.gif"])
    last = frames / "0004.png"
    kept = last.read_bytes()
    for change in (
        lambda: write_picture(last, pan[5]),
        last.unlink,
        lambda: write_picture(frames / "0005.png", pan[4]),
    ):
        last.write_bytes(kept)
        change()
        assert "frames/%04d.png: is not the content that out/checkpoint.npz was made from" in refused(
            ["--resume", "out"]
        )
    (frames / "0005.png").unlink()
    last.write_bytes(kept)
    assert neural_art.main(["--resume", "out"]) == 0


def test_a_damaged_picture_is_found_before_the_first_frame(here, frames, tiny, refused):
    (frames / "0003.png").write_bytes((frames / "0003.png").read_bytes()[:200])
    assert "frames/0003.png: " in refused(["frames/%04d.png", "style.png", *SMALL])
    assert not (here / "output").exists()


@pytest.mark.parametrize("at", [pytest.param(2, marks=pytest.mark.slow), 5])
def test_a_stopped_clip_is_playable_and_goes_on_to_the_same_pixels(
    here, pan, write_clip, tiny, monkeypatch, stopped_after, at
):
    monkeypatch.setattr("nst.video.store.LOT", 3)
    write_clip(here / "clip.mp4", pan)
    words = ["clip.mp4", "style.png", *SMALL]
    assert neural_art.main([*words, "-o", "whole.mp4"]) == 0

    line = stopped_after(at, [*words, "-o", "out.mp4"])
    assert "out.mp4 is the clip so far; to go on: python neural_art.py --resume out" in line
    assert len(frames_of(here / "out.mp4")) == at
    assert json.loads((here / "out" / "settings.json").read_text())["state"] == "stopped"
    assert neural_art.main(["--resume", "out.mp4"]) == 0
    assert not RunFolder(here / "out.mp4").has_checkpoint()
    for one, other in zip(frames_of(here / "whole.mp4"), frames_of(here / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_clip_without_sound_stays_silent_and_one_frame_is_enough(here, pan, write_clip, tiny):
    odd = [image[:63, :95] for image in pan[:1]]
    write_clip(here / "clip.mkv", odd, pixels="yuv444p")
    words = ["--size", "63", "--smallest-scale", "32", "--steps", "2", "--coarse-steps", "2", "--frame-steps", "1"]
    assert neural_art.main(["clip.mkv", "style.png", *words, "-o", "out.mp4"]) == 0
    clip = open_clip(here / "out.mp4")
    assert (clip.size, len(frames_of(here / "out.mp4")), clip.sound) == ((42, 62), 1, False)


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
        (["clip.mp4", "style.png", "--plot"], "--plot: does not go with a clip"),
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


@pytest.mark.slow
def test_a_stopped_animation_goes_on_as_one(here, pan, tiny, stopped_after):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan[:4]]
    images[0].save("a.gif", save_all=True, append_images=images[1:], duration=100)
    stopped_after(1, ["a.gif", "style.png", "--as-clip", *SMALL, "-o", "b.webp"])
    assert neural_art.main(["--resume", "b.webp"]) == 0
    assert len(frames_of(here / "b.webp")) == 4


def test_masks_that_are_clips_go_with_the_run_and_with_resume(here, frames, tiny, stopped_after, refused):
    (here / "masks").mkdir()
    for number in range(1, 5):
        mask = np.zeros((64, 96, 3), np.float32)
        mask[:, : 24 * (number - 1)] = 1  # The first one is black.
        write_picture(here / "masks" / f"{number:04d}.png", mask)
    words = ["frames/%04d.png", "style.png", *SMALL, "--content-mask", "masks/%04d.png"]
    stopped_after(3, [*words, "-o", "art"])
    assert neural_art.main(["--resume", "art"]) == 0
    for number in (1, 2, 3):
        name = f"{number:04d}.png"
        still = resize(read_image(here / "frames" / name), (43, 64))
        change = np.abs(read_image(here / "art" / name) - still).mean(axis=(0, 2))
        edge = 16 * (number - 1)
        assert change[edge + 3 :].max() < 1 / 255
        assert edge == 0 or change[: edge - 3].min() > 0.01
    record = json.loads((here / "art" / "settings.json").read_text())
    assert record["settings"]["content_mask"] == "%04d.png"
    stopped_after(1, [*words, "-o", "art2"])
    (here / "masks" / "0004.png").unlink()
    assert "masks/%04d.png: ends before the last frame of %04d.png" in refused(["--resume", "art2"])
    write_picture(here / "masks" / "0004.png", mask)
    write_picture(here / "masks" / "0005.png", mask)
    assert "masks/%04d.png: is not the content_mask that art2" in refused(["--resume", "art2"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["style.png", "style.png", "--content-mask", "mask.mp4"], "mask.mp4: is a clip, and a mask of a picture"),
        (["clip.mp4", "style.png", "--source-mask", "mask.mp4"], "mask.mp4: is a clip, and a mask of a picture"),
        (["clip.mp4", "style.png", "--style-mask", "none.mp4"], "none.mp4: no such file"),
        (["clip.mp4", "style.png", "--style-mask", "%02d.png"], "%02d.png: no picture has such a name and number"),
        (["clip.mp4", "style.png", "--content-mask", "wide.mp4"], "a mask of 96x32 px does not fit on the photo"),
        (["clip.mp4", "style.png", "--content-mask", "mask.mp4"], "mask.mp4: ends before the last frame of clip.mp4"),
    ],
)
def test_mistakes_with_mask_clips_are_one_line(here, pan, write_clip, tiny, refused, words, message):
    write_clip(here / "clip.mp4", pan)
    write_clip(here / "mask.mp4", pan[:3])
    write_clip(here / "wide.mp4", [image[:32] for image in pan])
    assert message in refused([*words, *SMALL])


def test_a_clip_can_be_watched(here, frames, tiny, capsys, monkeypatch):
    """A browser that asks after each frame sees how far the clip is, and at the end the last frame."""
    seen, follow = [], LiveView.follow_frame

    def look(live, step, frame, picture):
        live.wanted, live.due = True, 0
        follow(live, step, frame, picture)
        seen.append(live)
        assert live.sources.steps == 4 and live.sources.unit == "frame"
        assert [step.number for step in live.steps] == [*range(1, len(seen) + 1)]
        np.testing.assert_array_equal(live.image, picture)
        np.testing.assert_array_equal(live.sources.content.image, frame)

    monkeypatch.setattr(LiveView, "follow_frame", look)
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    words = ["frames/%04d.png", "style.png", *SMALL, "-o", "art", "--watch", "--open"]
    assert neural_art.main(words) == 0
    assert len(seen) == 4 and seen[0].state == DONE and seen[0].over
    assert seen[0].sources.content.name == "frames.png"
    assert "http://127.0.0.1:" in capsys.readouterr().err
    assert len(opened) == 1 and opened[0].startswith("http://127.0.0.1:")


def test_the_current_folder_is_a_clip_too(here, frames, tiny, monkeypatch):
    monkeypatch.chdir(here / "frames")
    assert neural_art.main([".", "../style.png", *SMALL, "--as-clip", "-o", "../out.mp4"]) == 0
    assert len(frames_of(here / "out.mp4")) == 4


def test_an_animated_picture_stays_a_picture_unless_asked_for(here, pan, tiny):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan[:3]]
    images[0].save("a.gif", save_all=True, append_images=images[1:], duration=100)
    assert neural_art.main(["a.gif", "style.png", *SMALL, "-o", "still.png"]) == 0
    assert neural_art.main(["a.gif", "style.png", "style.png", *SMALL, "--as-clip", "-o", "moving.gif"]) == 0
    text = Page(here / "moving" / "report.html").text()
    assert "a in the style of style and style" in " ".join(text.split())
    assert "--settings-from moving/settings.json --as-clip" in text
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
