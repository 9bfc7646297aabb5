"""The settings that a sweep goes through."""

import pytest

from nst.batch.sweep import combinations, grid_of, read_sweep, read_sweeps
from nst.errors import UserError


def test_sweeps_make_the_product_the_last_fastest():
    sweeps = read_sweeps(["style-weight=20,40", "style-layers=conv1_1 conv2_1:2, conv4_1", "balance=on,off"])
    found = list(combinations(sweeps))
    assert len(found) == 8
    assert found[1] == (
        {"style_weight": 20.0, "style_layers": (("conv1_1", 1.0), ("conv2_1", 2.0)), "balance": False},
        ("20", "conv1_1 conv2_1:2", "off"),
    )
    assert list(combinations([])) == [({}, ())]
    assert read_sweep("preset=fast,best").values == ("fast", "best")
    assert read_sweep("style=stone.jpg,'my night.jpg'").values == (("stone.jpg",), ("my night.jpg",))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["steps"], "--sweep steps: must be a setting and its values"),
        (["=1,2"], "must be a setting and its values"),
        (["stepps=1,2"], "--sweep: stepps: there is no such key; did you mean steps?"),
        (["steps=1,,2"], "has an empty value"),
        (["steps=1,1"], "has 1 twice"),
        (["steps=1,x"], "--sweep: steps x: must be a whole number"),
        (["output=a.png,b.png"], "output cannot be swept"),
        (["steps=1", "steps=2"], "--sweep steps: is given twice"),
    ],
)
def test_mistakes_in_a_sweep(texts, message):
    with pytest.raises(UserError) as error:
        read_sweeps(texts)
    assert message in str(error.value)


def test_the_last_sweep_makes_the_columns_and_all_others_the_rows():
    sweeps = read_sweeps(["seed=1,2", "strength=0.3,0.50", "steps=5,6,7"])
    swept = {10 + number: words for number, (_, words) in enumerate(combinations(sweeps))}
    grid = grid_of("cat_stone", sweeps, swept)
    assert grid.columns == ((("steps", "5"),), (("steps", "6"),), (("steps", "7"),))
    assert grid.rows[1] == (("seed", "1"), ("strength", "0.50"))
    assert len(grid.rows) == 4
    assert [grid.cells[cell] for cell in sorted(grid.cells)] == list(range(10, 22))
    assert grid_of("cat_stone", sweeps[:1], {0: ("1",), 1: ("2",)}).rows == ((),)
