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


def test_what_is_no_image_is_refused(content, style):
    with pytest.raises(UserError, match=r"image uint8 \[40, 56, 3\]: must be float32"):
        redraw(content.astype(np.uint8), style)
    with pytest.raises(UserError, match=r"got 2 for 1 style image"):
        redraw(content, style, Settings(style_weights=(1.0, 2.0)))


def test_everything_public_is_there_and_brings_tensorflow_only_when_asked():
    for name in nst.PUBLIC:
        assert getattr(nst, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nst.__getattr__("nothing")
    code = "import sys; from nst import Settings, UserError; print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"
