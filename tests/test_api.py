"""Other programs: arrays in, an array out."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import PROJECT

import nst
from nst import Settings, UserError, make_settings, redraw

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
    "grey": (lambda image: image[..., 0], r"content: is of shape \[40, 56\]; must be \[height, width, 3\]"),
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
    with pytest.raises(UserError, match=r"style_masks\[0\]: is of shape \[40, 56, 3\]; must be \[height, width\]"):
        redraw(content, style, style_masks=[content])
    with pytest.raises(UserError, match="content_mask: is 0 everywhere"):
        redraw(content, style, content_mask=0 * mask)
    with pytest.raises(UserError, match="style_masks: got 2 for 1 styles"):
        redraw(content, style, style_masks=[mask, mask])
    with pytest.raises(UserError, match=r"settings\.style_mask: names a file; give arrays as style_masks"):
        redraw(content, style, Settings(style_mask=("a.png",)))
    with pytest.raises(UserError, match=r"settings\.init: names a file; give an array as start"):
        redraw(content, style, Settings(init="a.png"))


def test_everything_public_is_there_and_brings_tensorflow_only_when_asked():
    for name in nst.PUBLIC:
        assert getattr(nst, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nst.__getattr__("nothing")
    code = "import sys; from nst import Settings, UserError; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"
