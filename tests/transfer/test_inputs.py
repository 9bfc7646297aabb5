"""The pictures of a run: numbers that must agree, and weights that add up to 1."""

import numpy as np
import pytest

from nst.errors import UserError
from nst.preset_files import make_settings
from nst.settings import Settings
from nst.transfer.inputs import Inputs, check_counts

PICTURE = np.full((32, 48, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"style_weights": [1.0, 2.0, 3.0]}, "--style-weights: got 3 for 2 style images; give one per image"),
        ({"style_scale": [1.0, 2.0, 3.0]}, "--style-scale: got 3 for 2 style images"),
        ({"style_mask": ["a.png"]}, "--style-mask: got 1 for 2 style images"),
    ],
)
def test_numbers_that_do_not_agree_are_refused(overrides, message):
    settings = make_settings(overrides=overrides)
    for check in (lambda: check_counts(2, settings), lambda: Inputs(PICTURE, (PICTURE,) * 2, settings)):
        with pytest.raises(UserError) as error:
            check()
        assert message in str(error.value)


def test_masks_are_as_many_as_the_styles():
    with pytest.raises(ValueError, match="1 masks for 2 styles"):
        Inputs(PICTURE, (PICTURE,) * 2, Settings(), style_masks=(PICTURE[..., 0],))


def test_the_weights_of_styles_are_1_together_and_equal_by_default():
    weighted = make_settings(overrides={"style_weights": [3, 1]})
    assert Inputs(PICTURE, (PICTURE,) * 2, weighted).weights == [0.75, 0.25]
    assert Inputs(PICTURE, (PICTURE,) * 4, Settings()).weights == [0.25] * 4
