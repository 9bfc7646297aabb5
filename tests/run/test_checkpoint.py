"""A checkpoint holds the whole state, and a damaged one falls back to the one before it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nst.errors import UserError
from nst.run.checkpoint import Checkpoint, check_state, read_checkpoint, write_checkpoint
from nst.run.folder import RunFolder
from nst.run.record import Record
from nst.transfer.scales import Scale
from nst.transfer.state import Descent, State, Step

IMAGE = np.random.default_rng(0).uniform(size=(20, 30, 3)).astype(np.float32)
MOMENTS = (np.array(3), np.full((2, 3), 1e-30, np.float32))
RECORD = Record(
    Path("art.png"),
    files={"content": ("é.png",), "style": ("s.png",)},
    sha256={"é.png": "00", "s.png": "01"},
    result="art.png",
    settings={"size": 30},
    versions={"neural_art": "1", "tensorflow": "2"},
    precision="float32",
    weights_sha256="02",
    located={"content": [["/a/é.png", "00"]], "style": [["/a/s.png", "01"]]},
)
SCALES = [Scale((10, 15), ((10, 15),), 4), Scale((20, 30), ((20, 30),), 2)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "art").mkdir()
    return RunFolder(tmp_path / "art.png")


def made(steps):
    done = tuple(Step(number, (20, 30), {"total": 1 / number}) for number in range(1, steps + 1))
    state = State(1, steps, Descent(IMAGE, tuple(step.costs["total"] for step in done[4:]), MOMENTS, 0.5))
    return Checkpoint(RECORD, state, done, 1.5)


def same(found, wanted):
    assert replace(found.record, source=RECORD.source) == wanted.record
    assert (found.steps, found.seconds) == (wanted.steps, wanted.seconds)
    assert (found.state.scale, found.state.steps, found.state.descent.steps) == (1, wanted.state.steps, 1)
    assert found.state.descent.rate == 0.5
    assert found.state.descent.totals == (1 / 5,)
    np.testing.assert_array_equal(found.state.descent.image, IMAGE)
    for moment, value in zip(found.state.descent.moments, MOMENTS, strict=True):
        np.testing.assert_array_equal(moment, value)
        assert moment.dtype == value.dtype


def test_written_then_read_is_the_same(folder):
    write_checkpoint(folder, made(5))
    found, warnings = read_checkpoint(folder)
    same(found, made(5))
    assert warnings == []


def test_a_run_without_a_step_has_a_checkpoint_too(folder):
    write_checkpoint(folder, Checkpoint(RECORD))
    found, warnings = read_checkpoint(folder)
    assert (found.state, found.steps, found.seconds, warnings) == (None, (), 0, [])


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda data: b"", lambda data: b"PK\x05\x06" + bytes(18)])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(folder, damage):
    write_checkpoint(folder, made(5))
    write_checkpoint(folder, made(5))
    write_checkpoint(folder, made(5))
    assert set(folder.path.iterdir()) == {folder.checkpoint, folder.checkpoint_before}
    folder.checkpoint.write_bytes(damage(folder.checkpoint.read_bytes()))
    found, warnings = read_checkpoint(folder)
    same(found, made(5))
    assert warnings == [
        f"{folder.checkpoint}: is damaged; goes on from {folder.checkpoint_before.name}, 5 steps into the run"
    ]
    folder.checkpoint_before.write_bytes(damage(folder.checkpoint_before.read_bytes()))
    with pytest.raises(UserError, match="is damaged, and the one before it too; start the run anew"):
        read_checkpoint(folder)


def test_a_pickle_is_not_read(folder):
    np.savez(folder.checkpoint, json=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="is damaged; start"):
        read_checkpoint(folder)


def test_one_alone_under_the_name_of_the_one_before_serves(folder):
    """As after a kill between two renames."""
    write_checkpoint(folder, made(5))
    folder.checkpoint.rename(folder.checkpoint_before)
    assert folder.has_checkpoint()
    same(read_checkpoint(folder)[0], made(5))


def test_none_is_refused_in_words(folder):
    with pytest.raises(UserError, match=r"holds no checkpoint\.npz"):
        read_checkpoint(folder)
    with pytest.raises(UserError, match="is no folder of a run"):
        read_checkpoint(RunFolder.at(folder.path / "none"))
    write_checkpoint(folder, made(5))
    folder.remove_checkpoint()
    assert not folder.has_checkpoint()


def test_a_state_over_other_scales_is_refused(folder):
    check_state(folder, made(5).state, SCALES)
    check_state(folder, None, SCALES)
    for scales in (SCALES[:1], SCALES[::-1]):
        with pytest.raises(UserError, match="over other scales"):
            check_state(folder, made(5).state, scales)


def rewritten(folder, change, arrays=None, *, packed=False):
    """Write a checkpoint again with other values or arrays."""
    write_checkpoint(folder, made(5))
    with np.load(folder.checkpoint) as found:
        stored = dict(found)
    values = json.loads(str(stored["json"]))
    change(values)
    stored |= {"json": np.array(json.dumps(values)), **(arrays or {})}
    with folder.checkpoint.open("wb") as file:
        (np.savez_compressed if packed else np.savez)(file, **stored)


ODD_VALUES = [
    lambda values: values.update(seconds=float("nan")),
    lambda values: values.update(seconds="1"),
    lambda values: values.update(moments=10**9),
    lambda values: values.update(moments=-1),
    lambda values: values["state"].update(scale=1.5),
    lambda values: values["state"].update(within="3"),
    lambda values: values["state"].update(rate=float("inf")),
    lambda values: values["state"].update(averaged=True),
    lambda values: values["steps"][0].update(size=[1, 2, 3]),
    lambda values: values["steps"][0].update(costs=[]),
    lambda values: values["steps"][0].update(costs={"total": "x"}),
    lambda values: values.update(record=[]),
    lambda values: values.update(inputs=3),
]
ODD_ARRAYS = [
    {"image": np.full((20, 30, 3), np.nan, np.float32)},
    {"image": np.array("text")},
    {"image": np.zeros((20, 30, 3))},
    {"image": np.zeros((20, 30, 3), np.int64)},
    {"mean": np.zeros((2, 2, 3), np.float32)},
    {"nearest": np.zeros(3)},
    {"json": np.array("[" * 100_000)},
    {"json": np.array(3)},
]


@pytest.mark.parametrize("change", ODD_VALUES)
def test_values_of_another_type_are_damage(folder, change):
    rewritten(folder, change)
    with pytest.raises(UserError, match="is damaged; start the run anew"):
        read_checkpoint(folder)


@pytest.mark.parametrize("arrays", ODD_ARRAYS, ids=lambda arrays: next(iter(arrays)))
def test_arrays_of_another_type_are_damage(folder, arrays):
    rewritten(folder, lambda values: None, arrays)
    with pytest.raises(UserError, match="is damaged; start the run anew"):
        read_checkpoint(folder)


def test_what_is_packed_is_not_unpacked(folder):
    """It may have any size."""
    rewritten(folder, lambda values: None, {"image": np.zeros((4000, 4000, 3), np.float32)}, packed=True)
    with pytest.raises(UserError, match="is damaged; start the run anew"):
        read_checkpoint(folder)
