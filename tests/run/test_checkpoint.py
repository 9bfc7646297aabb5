"""A checkpoint holds the whole state, and a damaged one falls back to the one before it."""

import numpy as np
import pytest

from nst.errors import UserError
from nst.run.checkpoint import (
    NAME,
    NAME_BEFORE,
    Checkpoint,
    check_state,
    has_checkpoint,
    read_checkpoint,
    remove_checkpoint,
    write_checkpoint,
)
from nst.transfer.scales import Scale
from nst.transfer.state import Descent, State, Step

IMAGE = np.random.default_rng(0).uniform(size=(20, 30, 3)).astype(np.float32)
MOMENTS = (np.array(3), np.full((2, 3), 1e-30, np.float32))
SCALES = [Scale((10, 15), ((10, 15),), 4), Scale((20, 30), ((20, 30),), 2)]


def made(steps):
    done = tuple(Step(number, (20, 30), {"total": 1 / number}) for number in range(1, steps + 1))
    state = State(1, steps, Descent(IMAGE, tuple(step.costs["total"] for step in done[4:]), MOMENTS, 0.5))
    return Checkpoint({"settings": {"size": 30}}, {"content": [["/a/é.png", "00"]]}, state, done, 1.5)


def same(found, wanted):
    assert (found.record, found.inputs, found.steps, found.seconds) == (
        wanted.record,
        wanted.inputs,
        wanted.steps,
        wanted.seconds,
    )
    assert (found.state.scale, found.state.steps, found.state.descent.steps) == (1, wanted.state.steps, 1)
    assert found.state.descent.rate == 0.5
    assert found.state.descent.totals == (1 / 5,)
    np.testing.assert_array_equal(found.state.descent.image, IMAGE)
    for moment, value in zip(found.state.descent.moments, MOMENTS, strict=True):
        np.testing.assert_array_equal(moment, value)
        assert moment.dtype == value.dtype


def test_written_then_read_is_the_same(tmp_path):
    write_checkpoint(tmp_path, made(5))
    found, warnings = read_checkpoint(tmp_path)
    same(found, made(5))
    assert warnings == []


def test_a_run_without_a_step_has_a_checkpoint_too(tmp_path):
    write_checkpoint(tmp_path, Checkpoint({}, {}))
    assert read_checkpoint(tmp_path) == (Checkpoint({}, {}), [])


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda data: b"", lambda data: b"PK\x05\x06" + bytes(18)])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(tmp_path, damage):
    write_checkpoint(tmp_path, made(5))
    write_checkpoint(tmp_path, made(5))
    write_checkpoint(tmp_path, made(5))
    assert {path.name for path in tmp_path.iterdir()} == {NAME, NAME_BEFORE}
    (tmp_path / NAME).write_bytes(damage((tmp_path / NAME).read_bytes()))
    found, warnings = read_checkpoint(tmp_path)
    same(found, made(5))
    assert warnings == [f"{tmp_path / NAME}: is damaged; goes on from {NAME_BEFORE}, 5 steps into the run"]
    (tmp_path / NAME_BEFORE).write_bytes(damage((tmp_path / NAME_BEFORE).read_bytes()))
    with pytest.raises(UserError, match="is damaged, and the one before it too; start the run anew"):
        read_checkpoint(tmp_path)


def test_a_pickle_is_not_read(tmp_path):
    np.savez(tmp_path / NAME, json=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="is damaged; start"):
        read_checkpoint(tmp_path)


def test_one_alone_under_the_name_of_the_one_before_serves(tmp_path):
    """As after a kill between two renames."""
    write_checkpoint(tmp_path, made(5))
    (tmp_path / NAME).rename(tmp_path / NAME_BEFORE)
    assert has_checkpoint(tmp_path)
    same(read_checkpoint(tmp_path)[0], made(5))


def test_none_is_refused_in_words(tmp_path):
    with pytest.raises(UserError, match=r"holds no checkpoint\.npz"):
        read_checkpoint(tmp_path)
    with pytest.raises(UserError, match="is no folder of a run"):
        read_checkpoint(tmp_path / "none")
    write_checkpoint(tmp_path, made(5))
    remove_checkpoint(tmp_path)
    assert not has_checkpoint(tmp_path)


def test_a_state_over_other_scales_is_refused(refused, tmp_path):
    check_state(tmp_path, made(5).state, SCALES)
    check_state(tmp_path, None, SCALES)
    for scales in (SCALES[:1], SCALES[::-1]):
        with pytest.raises(UserError, match="over other scales"):
            check_state(tmp_path, made(5).state, scales)
