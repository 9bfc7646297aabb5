"""A descent knows its steps."""

import numpy as np

from nst.transfer.state import Descent


def test_a_descent_has_as_many_steps_as_costs():
    image = np.zeros((2, 3, 3), np.float32)
    assert Descent(image).steps == 0
    assert Descent(image, totals=(2.0, 1.0)).steps == 2
