"""A picture that is too large for the memory: what is large goes into files, and the pixels are the same."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import neural_art
from nst.pictures.picture_files import read_image
from nst.run import memory_plan
from nst.system import large_arrays

WORDS = ["--size", "96", "--smallest-scale", "48", "--steps", "3", "--tile", "64", "--precision", "float32"]


@pytest.fixture
def made_in_memory(tmp_path, monkeypatch, pictures, tiny):
    """Make whole.png in memory, with some words more; then the memory is too short for a picture in tiles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(large_arrays, "STRIP_PX", 1000)
    monkeypatch.setattr(large_arrays, "LEAST_BYTES", 2000)
    monkeypatch.setattr("nst.system.array_files.LEAST_BYTES", 2000)

    def make(*more):
        assert neural_art.main([*pictures, *WORDS, *more, "-o", "whole.png"]) == 0
        monkeypatch.setattr(memory_plan, "PROCESSOR", memory_plan.PROCESSOR._replace(in_tiles={"float32": 10**7}))
        return [*pictures, *WORDS, *more]

    return make


@pytest.fixture
def mapped(monkeypatch):
    """The number of arrays that are in files."""
    make, made = large_arrays._array, []
    monkeypatch.setattr(large_arrays, "_array", lambda *given: made.append(given[2]) or make(*given))
    return made


LOOKS = [["--preserve-color", "luminance", "--tv-weight", "1"], ["--init-noise", "0.4", "--strength", "0.3"]]


@pytest.mark.parametrize("look", [[], *(pytest.param(look, marks=pytest.mark.slow) for look in LOOKS)], ids=" ".join)
def test_the_pixels_are_those_of_a_run_in_memory(made_in_memory, mapped, capsys, look):
    words = made_in_memory(*look)
    assert not mapped
    assert neural_art.main([*words, "-o", "art.png"]) == 0
    assert len(mapped) > 20
    assert "what is large goes into files beside the result, about" in capsys.readouterr().err
    np.testing.assert_array_equal(read_image(Path("art.png")), read_image(Path("whole.png")))


def test_stopped_it_goes_on_to_the_same_pixels(made_in_memory, mapped, stopped_at):
    words = made_in_memory()
    for number in (2, 5):
        stopped_at(number, [*words, "-o", "art.png", "--overwrite"])
        before = len(mapped)
        assert neural_art.main(["--resume", "art"]) == 0
        assert len(mapped) > before
        np.testing.assert_array_equal(read_image(Path("art.png")), read_image(Path("whole.png")))
    assert {path.name for path in Path("art").iterdir()} == {"settings.json", "losses.csv", "report.html"}


def test_a_dry_run_tells_the_disk(made_in_memory, capsys):
    assert neural_art.main([*made_in_memory(), "--dry-run"]) == 0
    assert "MB of files on the disk" in capsys.readouterr().out


def test_a_disk_that_is_too_full_is_refused_before_the_run(made_in_memory, monkeypatch, capsys):
    words = made_in_memory()
    monkeypatch.setattr(memory_plan, "PROCESSOR", memory_plan.PROCESSOR._replace(on_disk=10**12))
    assert neural_art.main([*words, "-o", "art.png"]) == 2
    told = capsys.readouterr().err
    assert "--size 96: needs about" in told
    assert "MB there; give -o on a disk with more room" in told
    assert not Path("art.png").exists()


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system has no way to reserve room")
def test_on_a_disk_that_fills_up_the_run_is_kept(made_in_memory, mapped, monkeypatch, capsys):
    words, reserve = made_in_memory(), os.posix_fallocate

    def fill(*given):
        if len(mapped) > 60:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        reserve(*given)

    monkeypatch.setattr(os, "posix_fallocate", fill)
    assert neural_art.main([*words, "-o", "art.png"]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("neural_art: art: No space left on device; art.png is the picture so far; to go on: ")
    monkeypatch.setattr(os, "posix_fallocate", reserve)
    assert neural_art.main(["--resume", "art"]) == 0
    np.testing.assert_array_equal(read_image(Path("art.png")), read_image(Path("whole.png")))
