"""Masks that are clips go along with the frames of a clip."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import SHALLOW

from nst.errors import UserError
from nst.pictures.picture_files import write_picture
from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.masks import overall_weights, regions_of
from nst.transfer.scales import plan_scales
from nst.video.clips import open_clip
from nst.video.frames import Maker, Memory
from nst.video.mask_clips import MaskClip, mask_clips, masked, renewal
from nst.video.times import selected

pytest.importorskip("av")
pytest.importorskip("cv2")


def grey(light):
    return np.full((64, 96, 3), light, np.float32)


@pytest.fixture
def numbered(tmp_path):
    """Return a function that writes numbered pictures and returns their clip as a mask."""

    def write(name, images):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            write_picture(tmp_path / name / f"{number:03d}.png", image)
        return MaskClip("content_mask", 0, open_clip(tmp_path / name / "%03d.png"))

    return write


def lights(clip, masks, **given):
    frames = selected(clip, make_settings(overrides=given), masks)
    return [round(100 * float(frame.masks[0].mean())) for frame in frames]


def test_numbered_masks_go_by_their_order(tmp_path, pan, write_clip, numbered):
    clip = open_clip(write_clip(tmp_path / "a.mp4", pan, [0, 3, 6, 50, 53, 56, 59, 62]))
    masks = [numbered("masks", [grey(k / 10) for k in range(8)])]
    assert lights(clip, masks) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert lights(clip, masks, start="3f", end="5f") == [30, 40]


def test_a_mask_of_another_rate_shows_what_is_shown_then(tmp_path, pan, write_clip):
    clip = open_clip(write_clip(tmp_path / "a.mp4", pan))
    path = write_clip(tmp_path / "mask.mp4", [grey(k / 4) for k in range(4)], [0, 8, 16, 24])
    masks = [MaskClip("content_mask", 0, open_clip(path))]
    assert np.abs(np.array(lights(clip, masks)) - [0, 0, 25, 25, 50, 50, 75, 75]).max() <= 2
    assert np.abs(np.array(lights(clip, masks, fps=12.5)) - [0, 25, 50, 75]).max() <= 2


@pytest.mark.parametrize("kind", ["pictures", "video"])
def test_a_mask_that_is_too_short_is_told(tmp_path, pan, write_clip, numbered, kind):
    clip = open_clip(write_clip(tmp_path / "a.mp4", pan))
    images = [grey(0.5)] * 5
    mask = numbered("masks", images)
    if kind == "video":
        mask = replace(mask, clip=open_clip(write_clip(tmp_path / "mask.mp4", images)))
    with pytest.raises(UserError, match=r"ends before the last frame of a\.mp4 that is wanted; give a mask that is as"):
        lights(clip, [mask])
    assert len(lights(clip, [mask], end="5f")) == 5


def test_only_what_moves_is_a_mask_clip(tmp_path, content, numbered):
    write_picture(tmp_path / "still.png", content)
    moving = numbered("masks", [grey(0), grey(1)])
    paths = {"style_mask": (tmp_path / "still.png", tmp_path / "masks"), "content_mask": (moving.clip.path,)}
    assert [(mask.role, mask.index) for mask in mask_clips(paths)] == [("style_mask", 1), ("content_mask", 0)]


def test_a_black_mask_of_a_style_leaves_the_rest_to_the_others(content, style):
    masks = (np.zeros((40, 56), np.float32), np.ones((40, 56), np.float32))
    inputs = Inputs(content, (style, style), make_settings(), style_masks=masks)
    assert [region.members for region in regions_of(inputs)] == [(0,), (1,)]
    assert tuple(overall_weights(inputs)) == (0, 1)
    assert np.isfinite(overall_weights(replace(inputs, style_masks=(masks[0], masks[0])))).all()


def test_where_a_mask_rises_the_picture_is_new():
    still, ages = np.zeros((8, 12, 2), np.float32), np.full((8, 12), 5, np.float32)
    before, mask = np.zeros((4, 6), np.float32), np.zeros((4, 6), np.float32)
    before[:, :2], mask[:, :4] = 1, 1
    found = renewal([mask], [before])(ages, still)
    assert (found[:, :3] == 5).all() and (found[:, 5:7] == 0).all() and (found[:, 9:] == 5).all()
    moved = np.zeros((8, 12, 2), np.float32)
    moved[..., 0] = -4  # The mask moves along with what it covers.
    assert (renewal([mask], [before])(ages, moved)[:, 4:7] == 5).all()


def test_a_mask_that_moves_over_a_still_is_followed(shallow_network, pan, style):
    """Where the mask has been, the photo comes back; where the mask comes, the picture is painted."""
    settings = make_settings(overrides={**SHALLOW, "size": 96, "smallest_scale": 48, "steps": 4, "frame_steps": 2})
    left, right = np.zeros((64, 96), np.float32), np.zeros((64, 96), np.float32)
    left[:, :40], right[:, 56:] = 1, 1
    inputs = Inputs(pan[0], (style,), settings, content_mask=left)
    maker = Maker(shallow_network, inputs, plan_scales((64, 96), [style.shape[:2]], settings), 10**6)
    masks, memory, pictures = [MaskClip("content_mask", 0, None)], Memory(), []
    for mask, before in ((left, left), (right, left), (np.zeros_like(left), right)):
        now = replace(maker, inputs=masked(inputs, masks, [mask]), renew=renewal([mask], [before]))
        pictures.append(now.make(memory, pan[0]))
    changes = [np.abs(picture - pan[0]).mean(axis=-1) for picture in pictures]
    assert changes[0][:, :36].mean() > 0.05 and changes[0][:, 44:].max() < 1e-6
    assert changes[1][:, 60:].mean() > 0.05 and changes[1][:, :52].max() < 1e-6
    assert changes[2].max() < 1e-6
