"""Clips are read frame by frame, as they look and when they are shown."""

import numpy as np
import pytest
from PIL import Image

from nst.errors import UserError
from nst.pictures.picture_files import write_picture
from nst.preset_files import make_settings
from nst.run.clip_names import is_clip_name
from nst.video.clips import check_frames, open_clip
from nst.video.times import check_times, planned_frames, selected

pytest.importorskip("av")
pytest.importorskip("cv2")


def test_a_video_gives_its_frames_and_their_times(tmp_path, pan, write_clip):
    times = [0, 4, 7, 20, 21, 30, 31, 90]
    clip = open_clip(write_clip(tmp_path / "a.mp4", pan, times))
    assert (clip.kind, clip.size, clip.count, clip.sound) == ("video", (64, 96), 8, False)
    frames = list(clip.frames())
    assert [round(float(frame.time * clip.time_base) * 100) for frame in frames] == times
    for frame, image in zip(frames, pan, strict=True):
        assert np.abs(frame.image - image).mean() < 0.03


def test_a_video_of_hd_that_tells_no_colour_space_is_in_that_of_hd(tmp_path, write_clip):
    green = np.broadcast_to(np.array([0.1, 0.7, 0.1], np.float32), (720, 64, 3))
    small = np.broadcast_to(np.array([0.1, 0.7, 0.1], np.float32), (64, 64, 3))
    found = [
        next(open_clip(write_clip(tmp_path / f"{image.shape[0]}.mkv", [image] * 2)).frames()).image.mean((0, 1))
        for image in (small, green)
    ]
    assert np.abs(found[0] - [0.1, 0.7, 0.1]).max() < 0.03  # written and read as BT.601
    assert np.abs(found[1] - found[0]).max() > 0.04  # written as BT.601 without a word, and taken for BT.709


def test_a_clip_of_a_phone_is_turned_upright(tmp_path, pan, write_clip):
    """Held upright, a phone writes frames that lie, and in the header the turn to show them with."""
    path = write_clip(tmp_path / "a.mp4", pan)
    payload = bytearray(path.read_bytes())
    matrix = payload.index(b"tkhd") + 4 + 40
    turn = [0, 0x10000, 0, -0x10000, 0, 0, 64 << 16, 0, 0x40000000]  # a quarter to the right
    payload[matrix : matrix + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in turn)
    path.write_bytes(payload)
    clip = open_clip(path)
    assert clip.size == (96, 64)
    assert np.abs(next(clip.frames()).image - np.rot90(pan[0], -1)).mean() < 0.03


def test_a_video_of_10_bits_is_read(tmp_path, pan, write_clip):
    clip = open_clip(write_clip(tmp_path / "a.mkv", pan[:2], pixels="yuv420p10le"))
    assert np.abs(next(clip.frames()).image - pan[0]).mean() < 0.03


def test_a_video_that_is_cut_short_gives_what_is_whole(tmp_path, pan, write_clip):
    path = write_clip(tmp_path / "a.mkv", pan * 4)
    payload = path.read_bytes()
    path.write_bytes(payload[: len(payload) * 2 // 3])
    assert 4 < len(list(open_clip(path).frames())) < 32
    path.write_bytes(payload[:200])
    with pytest.raises(UserError, match=r"a\.mkv: (cannot be read|has no)"):
        open_clip(path)


def test_what_is_no_clip_is_refused(tmp_path, scenery):
    write_picture(tmp_path / "one.png", scenery)
    (tmp_path / "text.mp4").write_text("no video")
    for name, words in (
        ("none.mp4", "no such file"),
        ("text.mp4", "cannot be read"),
        ("one.png", "is a single picture"),
        ("%03d.png", "no picture has such a name and number"),
    ):
        with pytest.raises(UserError, match=words):
            open_clip(tmp_path / name)


def test_an_animation_gives_all_frames_and_their_times(tmp_path, pan):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:], duration=[40] * 4 + [100] * 4)
    clip = open_clip(tmp_path / "a.webp")
    frames = list(clip.frames())
    assert [frame.time for frame in frames] == [0, 40, 80, 120, 160, 260, 360, 460]
    assert np.abs(frames[5].image - pan[5]).mean() < 0.05


def test_numbered_pictures_come_by_their_numbers(tmp_path, pan):
    for number in (10, 9, 11):
        write_picture(tmp_path / f"f{number}.png", pan[number - 9])
    clip = open_clip(tmp_path / "f%d.png")
    assert [frame.time for frame in clip.frames()] == [0, 1, 2]
    for frame, image in zip(clip.frames(), pan, strict=False):
        np.testing.assert_allclose(frame.image, image, atol=0.003)
    assert is_clip_name(tmp_path / "f%d.png") and not is_clip_name(tmp_path / "f10.png")


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"start": "2f", "end": "5f"}, [2, 3, 4]),
        ({"start": "0.08", "end": "0:0.2"}, [2, 3, 4]),
        ({"fps": 12.5}, [0, 2, 4, 6]),
        ({"fps": 50.0, "end": "2f"}, [0, 0, 1]),
    ],
)
def test_frames_are_chosen_by_time_and_rate(tmp_path, pan, write_clip, given, numbers):
    clip, settings = open_clip(write_clip(tmp_path / "a.mp4", pan)), make_settings(overrides=given)
    frames = list(selected(clip, settings))
    whole = [frame.image for frame in clip.frames()]
    found = [int(np.argmin([np.abs(frame.image - image).mean() for image in whole])) for frame in frames]
    assert found == numbers
    assert float(frames[0].time * clip.time_base) == pytest.approx(0.04 * numbers[0])
    assert abs(planned_frames(clip, settings, 0.04) - len(numbers)) <= 1


@pytest.mark.parametrize("given", [{"start": "x"}, {"end": "1:2:3:4"}, {"start": "-1"}, {"start": "3f", "end": "2f"}])
def test_other_times_are_refused(given):
    with pytest.raises(UserError, match=r"--(start|end)"):
        check_times(make_settings(overrides=given))


def test_frames_of_several_sizes_are_refused(tmp_path, pan):
    for number, image in enumerate([pan[0], pan[1], pan[2][:, :90]]):
        write_picture(tmp_path / f"{number}.png", image)
    with pytest.raises(UserError, match=r"2\.png: is of 90x64 px, and the frame before it of 96x64 px"):
        check_frames(open_clip(tmp_path))


def test_grey_and_odd_sized_clips_are_read(tmp_path, pan, write_clip):
    odd = [image[:63, :95] for image in pan]
    clip = open_clip(write_clip(tmp_path / "odd.mkv", odd, pixels="yuv444p"))
    assert clip.size == (63, 95)
    assert np.abs(next(clip.frames()).image - odd[0]).mean() < 0.03
    frame = next(open_clip(write_clip(tmp_path / "grey.mkv", pan, codec="ffv1", pixels="gray")).frames()).image
    assert frame.shape == (64, 96, 3)
    assert np.abs(frame - frame.mean(axis=-1, keepdims=True)).max() < 0.02
    assert np.abs(frame.mean(axis=-1) - pan[0] @ [0.299, 0.587, 0.114]).mean() < 0.03


def test_a_clip_of_one_frame_is_a_clip(tmp_path, pan, write_clip):
    clip = open_clip(write_clip(tmp_path / "a.mp4", pan[:1]))
    assert len(list(selected(clip, make_settings()))) == 1
    write_picture(tmp_path / "0001.png", pan[0])
    assert open_clip(tmp_path / "%04d.png").count == 1


def test_an_empty_file_and_a_folder_without_pictures_are_told(tmp_path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "a.gif").touch()
    (tmp_path / "none").mkdir()
    for name, words in (("a.mp4", "cannot be read"), ("a.gif", "cannot be read"), ("none", "without pictures")):
        with pytest.raises(UserError, match=words):
            open_clip(tmp_path / name)


def test_an_animation_that_is_cut_short_gives_what_is_whole(tmp_path, pan):
    images = [Image.fromarray(np.rint(255 * image).astype(np.uint8)) for image in pan]
    for name in ("a.gif", "a.webp", "a.png"):
        images[0].save(tmp_path / name, save_all=True, append_images=images[1:], duration=40)
        payload = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(payload[: len(payload) * 2 // 3])
        if name == "a.webp":  # Its reader takes the file whole or not at all.
            with pytest.raises(UserError, match=r"a\.webp: cannot be read"):
                open_clip(tmp_path / name)
        else:
            assert 0 < len(list(open_clip(tmp_path / name).frames())) < 8
