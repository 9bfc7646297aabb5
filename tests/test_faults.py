"""Runs that are killed at any moment, again and again: no file is lost or half-written, and the pixels are the same."""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nst.checkpoint import has_checkpoint, read_checkpoint
from nst.image_io import read_image

SIZES = ["--size", "96", "--smallest-scale", "48", "--steps", "6", "--checkpoint-every", "0.05"]
WORDS = ["cat.jpg", "stone.jpg", *SIZES, "--snapshot-every", "4"]
KILLS = 50
IN_A_ROW = 6  # before a run may end
SIGNALS = [[signal.SIGKILL], [signal.SIGKILL], [signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGINT]]


class Command:
    """The command in forks of one process; see forked_command.py."""

    def __init__(self, folder):
        script = Path(__file__).with_name("forked_command.py")
        self.server = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def run(self, words, signals=(), after_seconds=0.0):
        """Return the exit status of a run, to which signals are sent after a while."""
        self.server.stdin.write(json.dumps(words) + "\n")
        self.server.stdin.flush()
        process = int(self.server.stdout.readline())
        time.sleep(after_seconds)
        for number in signals:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
            time.sleep(0.02)
        return int(self.server.stdout.readline())


@pytest.fixture
def command(tmp_path):
    command = Command(tmp_path)
    yield command
    command.server.stdin.close()
    command.server.wait()
    command.server.stdout.close()


def check_files(folder):
    """Every file that is there under its name is whole."""
    for path in folder.rglob("*"):
        if path.name.startswith("."):
            continue  # written aside
        if path.suffix == ".png":
            image = read_image(path)
            assert image.std() > 0.05
            assert max(image.shape) == (48 if "_48px" in path.name else 96)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            assert path.read_text().endswith("\n")
        elif path.name == "checkpoint.npz":
            checkpoint, warnings = read_checkpoint(path.parent)
            assert warnings == []
            assert [step.number for step in checkpoint.steps] == list(range(1, len(checkpoint.steps) + 1))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_killed_at_any_moment_and_resumed_is_straight_through(tmp_path, command):
    assert command.run([*WORDS, "-o", "whole.png"]) == 0
    began = time.monotonic()
    assert command.run([*WORDS, "-o", "again.png"]) == 0
    seconds = time.monotonic() - began
    whole, costs = read_image(tmp_path / "whole.png"), (tmp_path / "whole" / "losses.csv").read_text()
    chance = random.Random(1)
    killed, reached = 0, set()
    for chain in itertools.count():
        if killed >= KILLS:
            break
        folder = tmp_path / f"chain{chain}"
        folder.mkdir()
        result = folder / "art.png"
        done = 0
        for kill in range(IN_A_ROW + 1):
            resumed = has_checkpoint(folder / "art")
            words = ["--resume", str(folder / "art")] if resumed else [*WORDS, "-o", str(result)]
            signals = chance.choice(SIGNALS) if kill < IN_A_ROW else []
            status = command.run(words, signals, chance.uniform(0.1, 0.8 * seconds) if signals else 0)
            check_files(folder)
            if status == 0:
                break
            assert signals and status in (-signals[0], 128 + signals[0], 128 + signals[-1]), (status, words)
            killed += 1
            if has_checkpoint(folder / "art"):
                steps = len(read_checkpoint(folder / "art")[0].steps)
                assert steps >= done
                done = steps
                reached.add(steps)
        assert status == 0
        assert not has_checkpoint(folder / "art")
        assert not list(folder.rglob(".*"))
        np.testing.assert_array_equal(read_image(result), whole)
        assert (folder / "art" / "losses.csv").read_text() == costs
    assert "Traceback" not in (tmp_path / "errors.txt").read_text()
    assert len(reached) >= 5, reached
