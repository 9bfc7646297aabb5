"""Clips in a batch: made, stopped, gone on with, shown and refused as pictures are."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pages import Page, check_alone
from PIL import Image

import neural_art
from nst.batch.dask_workers import _files_of, make_on_other_disk
from nst.batch.orders import Order, make, write_files
from nst.pictures.picture_files import read_image, write_picture
from nst.preset_files import make_settings
from nst.report.live_view import LiveView
from nst.report.progress import Progress
from nst.report.status import DONE, STOPPED
from nst.run.request import Request
from nst.video.clips import is_one_clip, open_clip

pytest.importorskip("av")
SMALL = ["--size", "48", "--smallest-scale", "32", "--steps", "2", "--frame-steps", "1"]


@pytest.fixture
def clips(here, monkeypatch, style, content, pan, write_clip, tiny):
    """Be in a folder with style.png, photo.png, clips/a.mp4 and b.mp4, with a tiny network in place of VGG19."""
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))
    write_picture(Path("style.png"), style)
    write_picture(Path("photo.png"), content)
    Path("clips").mkdir()
    write_clip(here / "clips" / "a.mp4", pan[:3])
    write_clip(here / "clips" / "b.mp4", pan[3:5])
    return here


def frames_of(path):
    return [frame.image for frame in open_clip(Path(path)).frames()]


def states(folder="out"):
    lines = [json.loads(line) for line in Path(folder, "batch.jsonl").read_text().splitlines()]
    return [(line["job"], line["state"]) for line in lines if "job" in line]


def assert_same_frames(one, other):
    for first, second in zip(frames_of(one), frames_of(other), strict=True):
        np.testing.assert_array_equal(first, second)


def test_rows_are_pictures_or_clips_and_a_damaged_clip_fails_alone(clips, pan, capsys):
    Path("bad.mp4").write_bytes(b"no video")
    Path("frames").mkdir()
    for number, image in enumerate(pan[:2]):
        write_picture(Path(f"frames/{number:02d}.png"), image)
    Path("rows.csv").write_text(
        "content,style,as-clip,output\nphoto.png,style.png,,\nbad.mp4,style.png,,\nclips/a.mp4,style.png,,\n"
        "frames/%02d.png,style.png,,numbered.mp4\nframes,style.png,yes,folder.mkv\nnone.mp4,style.png,,\n"
    )
    words = ["--batch", "rows.csv", *SMALL, "-o", "out"]
    assert neural_art.main(words) == 1
    out, err = capsys.readouterr()
    assert out.split() == [f"out/{name}" for name in ("photo_style.png", "a_style.mp4", "numbered.mp4", "folder.mkv")]
    assert "bad_style.mp4: failed: bad.mp4: cannot be read, damaged or no clip" in err
    assert "none_style.mp4: failed: none.mp4: no such file" in err
    assert len(frames_of("out/a_style.mp4")) == 3 and len(frames_of("out/numbered.mp4")) == 2
    assert read_image(Path("out/photo_style.png")).shape == (34, 48, 3)
    assert_same_frames("out/numbered.mp4", "out/folder.mkv")
    page = Page(Path("out/report.html"))
    made = ("photo_style.png", "a_style.mp4", "numbered.mp4", "folder.mkv")
    check_alone(page, [link for name in made for link in (f"{name.partition('.')[0]}/report.html", name)])
    assert neural_art.main(["--batch", "rows.csv", *SMALL, "-o", "out", "--list"]) == 0
    assert "6 pictures in out, 4 of them done" in capsys.readouterr().out
    before = Path("out/a_style.mp4").stat().st_mtime_ns
    assert neural_art.main(words) == 1
    assert Path("out/a_style.mp4").stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_pattern_and_a_folder_of_videos_alone_stand_for_clips(clips, capsys):
    assert neural_art.main(["clips/*.mp4", "style.png", *SMALL, "-o", "one"]) == 0
    assert capsys.readouterr().out.split() == ["one/a_style.mp4", "one/b_style.mp4"]
    assert neural_art.main(["clips", "style.png", *SMALL, "-o", "other", "--list"]) == 0
    assert "2 pictures in other" in capsys.readouterr().out


def test_videos_among_photos_are_left_out_of_a_folder_but_not_of_a_pattern(clips, content, capsys):
    write_picture(Path("clips/c.png"), content)
    assert neural_art.main(["clips", "style.png", *SMALL, "-o", "out", "--list"]) == 0
    out, err = capsys.readouterr()
    assert "1 picture in out" in out
    assert "clips: its videos are left out, as a folder stands for its photos; 'clips/*' stands for all" in err
    assert neural_art.main(["clips/*", "style.png", *SMALL, "-o", "out", "--list"]) == 0
    assert "3 pictures in out" in capsys.readouterr().out


def test_animations_of_a_pattern_are_clips_where_the_user_says_so(clips, pan, capsys):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan[:2]]
    images[0].save("x.gif", save_all=True, append_images=images[1:], duration=100)
    for given, name in (([], "x_style.png"), (["--as-clip"], "x_style.gif")):
        assert neural_art.main(["*.gif", "style.png", *SMALL, "-o", "out", "--list", *given]) == 0
        assert f" {name} " in capsys.readouterr().out


def test_one_clip_stands_for_itself(here):
    Path("folder").mkdir()
    assert (
        is_one_clip(Path("a.MOV")) and is_one_clip(Path("f[1]/%04d.png")) and is_one_clip(Path("folder"), as_clip=True)
    )
    assert not any(map(is_one_clip, map(Path, ("*.mp4", "folder", "a.gif"))))
    assert not is_one_clip(Path("*.gif"), as_clip=True)


@pytest.mark.slow
def test_a_sweep_of_a_clip_has_a_sheet_of_first_frames(clips):
    words = ["clips/b.mp4", "style.png", *SMALL, "--sweep", "strength=0.3,0.7", "-o", "out"]
    assert neural_art.main(words) == 0
    assert [name for name, state in states() if state == "done"] == [
        "b_style_strength=0.3.mp4",
        "b_style_strength=0.7.mp4",
    ]
    sheet = read_image(Path("out/b_style_sweep.png"))
    assert sheet[100:150, 50:200].std() > 0.02  # no grey cell
    assert "b_style" in Page(Path("out/report.html")).text()


@pytest.mark.slow
def test_a_clip_in_each_style(clips, style):
    write_picture(Path("other.png"), style[::-1])
    assert neural_art.main(["clips/b.mp4", "style.png", "other.png", "--each-style", *SMALL, "-o", "out"]) == 0
    assert sorted(path.name for path in Path("out").glob("*.mp4")) == ["b_other.mp4", "b_style.mp4"]


def test_a_clip_of_numbered_pictures_is_changed_when_any_of_them_is(clips, pan, capsys):
    for number, image in enumerate(pan[:2]):
        write_picture(Path(f"f{number}.png"), image)
    Path("rows.jsonl").write_text('{"content": "f%d.png", "style": ["style.png"]}\n')
    words = ["--batch", "rows.jsonl", *SMALL, "-o", "out"]
    assert neural_art.main(words) == 0
    assert neural_art.main([*words, "--list"]) == 0
    assert "1 picture in out, 1 of them done" in capsys.readouterr().out
    write_picture(Path("f1.png"), pan[4])
    assert neural_art.main([*words, "--list"]) == 0
    assert "changed  f_style.mp4" in capsys.readouterr().out


def test_a_mask_that_is_a_clip_is_for_clips_and_changes_them_when_a_frame_of_it_does(clips, pan, capsys):
    Path("masks").mkdir()
    for number in range(3):
        write_picture(Path(f"masks/{number}.png"), np.ones_like(pan[0]))
    words = ["--batch", "rows.jsonl", *SMALL, "-o", "out"]
    row = {"content": "clips/a.mp4", "style": ["style.png"], "content-mask": "masks/%d.png"}
    Path("rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "content": "photo.png"}) + "\n")
    assert neural_art.main(words) == 1
    assert "photo_style.png: failed: masks/%d.png: is a clip, and a mask of a picture" in capsys.readouterr().err
    assert states()[1] == ("a_style.mp4", "done")
    write_picture(Path("masks/2.png"), np.tri(64, 96)[..., None].repeat(3, axis=-1).astype(np.float32))
    assert neural_art.main([*words, "--list"]) == 0
    assert "changed  a_style.mp4" in capsys.readouterr().out


@pytest.mark.slow
def test_clips_of_a_batch_can_be_watched(clips, monkeypatch):
    seen, follow = [], LiveView.follow_frame

    def look(live, step, frame, picture):
        follow(live, step, frame, picture)
        seen.append((live.place, live.sources.content.name, step.number, live.sources.steps))

    monkeypatch.setattr(LiveView, "follow_frame", look)
    assert neural_art.main(["clips/*.mp4", "style.png", *SMALL, "-o", "out", "--watch"]) == 0
    first = [("1 of 2", "a.mp4", number, 3) for number in (1, 2, 3)]
    assert seen == [*first, *(("2 of 2", "b.mp4", number, 2) for number in (1, 2))]


def test_a_picture_and_a_clip_of_the_same_name_have_folders_of_their_own(clips, content):
    write_picture(Path("a.png"), content)
    Path("rows.csv").write_text("content,style\na.png,style.png\nclips/a.mp4,style.png\n")
    assert neural_art.main(["--batch", "rows.csv", *SMALL, "-o", "out"]) == 0
    assert Path("out/a_style.png").exists() and Path("out/a_style_2.mp4").exists()


def test_a_clip_stopped_in_a_batch_goes_on_in_its_middle(clips, capsys, monkeypatch):
    whole = ["clips/*.mp4", "style.png", *SMALL]
    assert neural_art.main([*whole, "-o", "whole"]) == 0

    def stop_at(progress, size):
        follow(progress, size)
        made.append(progress.number)
        if len(made) == 2:
            signal.raise_signal(signal.SIGTERM)

    made, follow = [], Progress.follow_frame
    monkeypatch.setattr(Progress, "follow_frame", stop_at)
    assert neural_art.main([*whole, "-o", "out"]) == 128 + signal.SIGTERM
    assert "0 of 2 pictures are done; to go on:" in capsys.readouterr().err
    assert states()[-1] == ("a_style.mp4", "stopped")
    assert len(frames_of("out/a_style.mp4")) == 2
    assert neural_art.main([*whole, "-o", "out"]) == 0
    assert made == [1, 2, 3, 1, 2]
    for name in ("a_style.mp4", "b_style.mp4"):
        assert_same_frames(Path("whole", name), Path("out", name))


def test_a_dry_run_tells_the_frames_and_the_time_of_each_clip(clips, capsys):
    before = sorted(clips.rglob("*"))
    assert neural_art.main(["clips/*.mp4", "style.png", *SMALL, "-o", "out", "--dry-run"]) == 0
    assert "a_style.mp4: 48x32 px  3 frames  about " in capsys.readouterr().err
    assert sorted(clips.rglob("*")) == before


@pytest.mark.slow
def test_events_of_a_clip_name_it(clips, capsys):
    assert neural_art.main(["clips/*.mp4", "style.png", *SMALL, "-o", "out", "--json"]) == 0
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in err.splitlines()]
    frames = [(event["job"], event["number"]) for event in events if event["event"] == "frame"]
    assert frames == [
        ("a_style.mp4", 1),
        ("a_style.mp4", 2),
        ("a_style.mp4", 3),
        ("b_style.mp4", 1),
        ("b_style.mp4", 2),
    ]
    assert [job["path"] for job in json.loads(out)["jobs"]] == ["out/a_style.mp4", "out/b_style.mp4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clips/*.mp4", "style.png", "-o", "all.mp4"], "all.mp4: is the name of one clip"),
        (["clips/*.mp4", "style.png", "--codec", "h266"], "--codec h266: must be"),
        (["clips/a.mp4", "style.png", "--sweep", "seed=1,2", "--start", "x"], "--start x: must be a time"),
        (["--batch", "rows.csv"], "rows.csv: line 2: art.jpg: a clip is written as"),
        (["--batch", "folder.csv"], "folder.csv: line 2: output art: is a folder; name a clip, such as art.mp4"),
    ],
)
def test_mistakes_with_clips_are_one_line(clips, refused, words, message):
    Path("rows.csv").write_text("content,style,output\nclips/a.mp4,style.png,art.jpg\n")
    Path("folder.csv").write_text("content,style,output\nclips/a.mp4,style.png,art\n")
    assert message in refused(words)


@pytest.fixture
def clip_order(clips, pan):
    """Return an order of a clip of numbered pictures."""
    for number, image in enumerate(pan[:5]):
        write_picture(Path(f"f{number}.png"), image)
    given = {"size": 32, "smallest_scale": 32, "steps": 2, "frame_steps": 1}
    paths = {"content": (Path("f%d.png"),), "style": (Path("style.png"),)}
    return Order(Request(paths, make_settings(overrides=given), Path("here/art.mp4"), clip=True))


def elsewhere(order):
    """Make a clip as a worker does that shares no disk."""
    found = _files_of(order)
    return make_on_other_disk(order, [(role, str(path)) for role, path in found], *(p.read_bytes() for _, p in found))


@pytest.mark.slow
def test_a_clip_made_on_another_disk_is_the_same_also_after_a_stop(clip_order, monkeypatch, tmp_path):
    monkeypatch.setattr("nst.video.store.LOT", 2)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert make(clip_order).state == DONE
    order = replace(clip_order, request=replace(clip_order.request, output=Path("there/art.mp4")), stop="stop")
    follow = Progress.follow_frame

    def stop_at(progress, size):
        follow(progress, size)
        if progress.number == 3:
            Path("stop").touch()

    monkeypatch.setattr(Progress, "follow_frame", stop_at)
    made = elsewhere(order)
    assert (made.state, made.signal) == (STOPPED, signal.SIGTERM)
    write_files(order, made)
    assert len(frames_of("there/art.mp4")) == 3
    Path("stop").unlink()
    made = elsewhere(order)
    assert made.state == DONE
    write_files(order, made)
    assert_same_frames("here/art.mp4", "there/art.mp4")
    assert sorted(path.name for path in Path("there/art").iterdir()) == ["report.html", "settings.json"]
    assert "neural_art_" not in Path("there/art/settings.json").read_text()


def test_errors_of_a_clip_on_another_disk_name_the_clients_files(clip_order):
    Path("f0.png").write_bytes(b"no picture")
    assert elsewhere(clip_order).error.startswith("f0.png: is not a picture")
