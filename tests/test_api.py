"""Other programs: arrays in, an array out."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import PROJECT
from PIL import Image

import nst
from nst import Cancelled, Settings, StyleLoss, UserError, make_settings, read_image, redraw, write_picture
from nst.pictures.picture_files import read_picture
from nst.transfer.losses import STYLE_LOSSES

SMALL = {"size": 32, "smallest_scale": 32, "steps": 2}


pytestmark = pytest.mark.usefixtures("tiny")


def test_a_picture_from_arrays_with_a_word_per_step(content, style):
    steps = []
    settings = make_settings(overrides=SMALL)
    image = redraw(content, style, settings, on_step=lambda step, picture: steps.append((step.number, picture())))
    assert image.shape == (23, 32, 3)
    assert [number for number, _ in steps] == [1, 2]
    np.testing.assert_array_equal(steps[-1][1], image)
    np.testing.assert_array_equal(redraw(content, [style], settings), image)


def test_masks_and_a_start(content, style):
    settings = make_settings(overrides=SMALL)
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, :20] = 1
    image = redraw(content, [style, content], settings, start=style, style_masks=[mask, 1 - mask], content_mask=mask)
    assert image.shape == (23, 32, 3)


def test_images_of_bytes_and_of_float64_are_taken(content, style):
    settings = make_settings(overrides=SMALL)
    levels = np.rint(content * 255).astype(np.uint8)
    wanted = redraw((levels / 255).astype(np.float32), style, settings)
    for image in (levels, levels / 255):
        np.testing.assert_allclose(redraw(image, style, settings), wanted, atol=1e-4)


BAD = {
    "0..255": (lambda image: image * 255, r"content: has numbers from .* to 2\d\d.*; must be in \[0, 1\], or uint8"),
    "int": (lambda image: (image * 9).astype(np.int32), "content: is of int32; must be uint8, or float"),
    "NaN": (lambda image: image * np.nan, "content: has numbers that are not finite"),
    "empty": (lambda image: image[:0], r"content: is of shape \[0, 56, 3\], without a pixel"),
    "two channels": (lambda image: image[..., :2], r"content: is of shape \[40, 56, 2\]; must be \[height, width, 3\]"),
    "four axes": (lambda image: image[None], r"content: is of shape \[1, 40, 56, 3\]; must be \[height, width, 3\]"),
    "negative": (lambda image: image - 1, "content: has numbers from -"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_image_is_refused(content, style, fault):
    spoil, message = BAD[fault]
    with pytest.raises(UserError, match=message):
        redraw(spoil(content), style)
    with pytest.raises(UserError, match=message.replace("content", r"styles\[0\]")):
        redraw(content, spoil(content))


def test_arguments_that_do_not_go_together_are_refused_in_words_of_arguments(content, style):
    mask = np.ones(content.shape[:2], np.float32)
    with pytest.raises(UserError, match=r"got 2 for 1 style image"):
        redraw(content, style, Settings(style_weights=(1.0, 2.0)))
    with pytest.raises(UserError, match="styles: there is none"):
        redraw(content, [])
    with pytest.raises(UserError, match=r"style_masks\[0\]: is of shape \[40\]; must be \[height, width, 3\]"):
        redraw(content, style, style_masks=[mask[:, 0]])
    with pytest.raises(UserError, match="content_mask: is 0 everywhere"):
        redraw(content, style, content_mask=0 * mask)
    with pytest.raises(UserError, match="style_masks: got 2 for 1 styles"):
        redraw(content, style, style_masks=[mask, mask])
    with pytest.raises(UserError, match=r"settings\.style_mask: names a file; give arrays as style_masks"):
        redraw(content, style, Settings(style_mask=("a.png",)))
    with pytest.raises(UserError, match=r"settings\.init: names a file; give an array as start"):
        redraw(content, style, Settings(init="a.png"))


def test_grey_pillow_and_files_are_the_same_pictures(tmp_path, content, style):
    levels = np.rint(content * 255).astype(np.uint8)
    wanted = redraw(levels, style, SMALL)
    Image.fromarray(levels).save(tmp_path / "a.png")
    for given in (Image.fromarray(levels), str(tmp_path / "a.png"), tmp_path / "a.png"):
        np.testing.assert_array_equal(redraw(given, style, make_settings(overrides=SMALL)), wanted)
    turned = Image.fromarray(np.rot90(levels).copy())
    turned.getexif()[0x0112] = 6
    np.testing.assert_array_equal(redraw(turned, style, SMALL), wanted)
    deep = Image.fromarray((levels[..., 0].astype(np.int32)) * 257)
    assert deep.mode == "I"
    assert np.abs(redraw(deep, style, SMALL) - redraw(levels[..., 0], style, SMALL)).max() < 0.1
    grey = levels[..., 0]
    for given in (grey, grey[..., None], Image.fromarray(grey)):
        np.testing.assert_array_equal(redraw(given, style, SMALL), redraw(np.dstack([grey] * 3), style, SMALL))


def test_a_transparent_content_gives_a_transparent_picture(content, style):
    clear = np.dstack([content, np.ones(content.shape[:2])])
    assert redraw(clear, style, SMALL).shape == (23, 32, 3)
    clear[:, :20, 3] = 0
    image = redraw(clear, style, SMALL)
    assert image.shape == (23, 32, 4)
    assert image[10, 5, 3] == 0 and image[10, 28, 3] == 1
    image = Image.fromarray(np.rint(clear * 255).astype(np.uint8))
    np.testing.assert_allclose(redraw(image, style, SMALL)[..., 3], redraw(clear, style, SMALL)[..., 3], atol=0.01)
    with pytest.raises(UserError, match="content: is transparent everywhere"):
        redraw(clear * [1, 1, 1, 0], style, SMALL)


def test_what_is_transparent_in_a_style_does_not_count(content, style):
    clear = np.dstack([style, np.ones(style.shape[:2])])
    clear[:, 18:, 3] = 0
    spoiled = clear.copy()
    spoiled[:, 18:, :3] = 1
    np.testing.assert_array_equal(redraw(content, clear, SMALL), redraw(content, spoiled, SMALL))
    mask = (np.arange(36) < 18) * np.ones((48, 1))
    by_mask = redraw(content, style, SMALL, source_masks=[mask])
    assert np.abs(by_mask - redraw(content, clear, SMALL)).mean() < 0.02
    assert np.abs(by_mask - redraw(content, style, SMALL)).max() > 0.01


def test_cancelled_ends_a_run_with_the_picture_so_far(content, style):
    seen = []

    def stop(step, picture):
        seen.append(picture())
        if step.number == 1:
            raise Cancelled

    image = redraw(content, style, SMALL, on_step=stop)
    assert len(seen) == 1
    np.testing.assert_array_equal(image, seen[0])


@pytest.mark.parametrize("tile", ["off", 64])
def test_a_style_loss_of_ones_own_takes_the_place_of_the_settings(content, style, tile):
    moments = STYLE_LOSSES["moments"]
    settings = {**SMALL, "size": 80, "smallest_scale": 80, "tile": tile, "precision": "float32"}
    wanted = redraw(content, style, {**settings, "style_loss": "moments"})
    own = StyleLoss(moments.statistics, lambda ours, target: moments.cost(ours, target))
    np.testing.assert_allclose(redraw(content, style, settings, style_loss=own), wanted, atol=1e-3)
    assert np.abs(redraw(content, style, settings) - wanted).max() > 1e-2


def test_settings_are_settings_or_a_dict(content, style):
    np.testing.assert_array_equal(redraw(content, style, SMALL), redraw(content, style, make_settings(overrides=SMALL)))
    with pytest.raises(UserError, match="settings: is a list; must be Settings, or a dict of some by name"):
        redraw(content, style, [32])
    with pytest.raises(UserError, match="szie"):
        redraw(content, style, {"szie": 32})


def test_a_written_picture_is_of_bytes_or_in_unit_numbers(tmp_path, content):
    levels = np.rint(content * 255).astype(np.uint8)
    path = str(tmp_path / "a.png")
    for image in (levels, levels / 255):
        write_picture(path, image)
        np.testing.assert_array_equal(np.rint(read_image(path) * 255), levels)
    with pytest.raises(UserError, match=r"a\.png: has numbers from .* to 2\d\d"):
        write_picture(path, levels.astype(float))
    with pytest.raises(UserError, match=r"its image is of shape \[40, 56\]; must be \[height, width, 3\]"):
        write_picture(path, levels[..., 0])
    write_picture(path, np.dstack([levels, levels[..., 0]]))
    assert read_picture(tmp_path / "a.png").alpha is not None


def test_everything_public_is_there_and_brings_tensorflow_only_when_asked():
    for name in nst.PUBLIC:
        assert getattr(nst, name) and name in dir(nst)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nst.__getattr__("nothing")
    code = "import sys; from nst import *; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"
