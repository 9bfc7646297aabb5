"""Runs that are killed at any moment, again and again: no file is lost or half-written, and the pixels are the same."""

import contextlib
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nst.errors import UserError
from nst.layers import LAYERS
from nst.network.vgg19 import build_network
from nst.pictures.picture_files import read_image, write_picture
from nst.preset_files import make_settings
from nst.run.checkpoint import read_checkpoint
from nst.run.folder import RunFolder
from nst.transfer.inputs import Inputs
from nst.transfer.scales import plan_scales
from nst.transfer.stylize import stylize

SIZES = ["--size", "96", "--smallest-scale", "48", "--steps", "6", "--checkpoint-every", "0.05"]
ONE_SIZE = ["--size", "96", "--smallest-scale", "96", "--steps", "8", "--checkpoint-every", "0.05"]
WORDS = ["cat.jpg", "stone.jpg", *SIZES, "--snapshot-every", "4"]
KILLS, BATCH_KILLS = 50, 20
STREAM_TRIALS = 24
IN_A_ROW = 6  # before a run may end
SIGNALS = [  # by name, as Windows lacks some
    ["SIGKILL"],
    ["SIGKILL"],
    ["SIGTERM"],
    ["SIGINT"],
    ["SIGTERM", "SIGINT"],
    ["SIGHUP", "SIGHUP"],
]
LOG = "errors.txt"


class Command:
    """The command in forks of one process; see forked_command.py."""

    def __init__(self, folder):
        script = Path(__file__).with_name("forked_command.py")
        self.server = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def run(self, words, signals=(), after_seconds=0.0, *, stdout=LOG, stderr=LOG, lose=lambda: None):
        """Return the exit status of a run; after a while `lose` is called and signals are sent, unless it has ended."""
        self.server.stdin.write(json.dumps([words, stdout, stderr]) + "\n")
        self.server.stdin.flush()
        process = int(self.server.stdout.readline())
        select.select([self.server.stdout], [], [], after_seconds)
        lose()
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
        elif path.suffix == ".html":
            assert path.read_text().endswith("</html>")
        elif path.suffix == ".csv":
            assert path.read_text().endswith("\n")
        elif path.name == "checkpoint.npz":
            checkpoint, warnings = read_checkpoint(RunFolder.at(path.parent))
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
            resumed = RunFolder.at(folder / "art").has_checkpoint()
            words = ["--resume", str(folder / "art")] if resumed else [*WORDS, "-o", str(result)]
            signals = list(map(signal.Signals.__getitem__, chance.choice(SIGNALS))) if kill < IN_A_ROW else []
            status = command.run(words, signals, chance.uniform(0.1, 0.8 * seconds) if signals else 0)
            check_files(folder)
            if status == 0:
                break
            assert signals and status in (-signals[0], 128 + signals[0], 128 + signals[-1]), (status, words)
            killed += 1
            if RunFolder.at(folder / "art").has_checkpoint():
                steps = len(read_checkpoint(RunFolder.at(folder / "art"))[0].steps)
                assert steps >= done
                done = steps
                reached.add(steps)
        assert status == 0
        assert not RunFolder.at(folder / "art").has_checkpoint()
        assert not list(folder.rglob(".*"))
        np.testing.assert_array_equal(read_image(result), whole)
        assert (folder / "art" / "losses.csv").read_text() == costs
    assert "Traceback" not in (tmp_path / LOG).read_text()
    assert len(reached) >= 5, reached


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_a_batch_killed_at_any_moment_and_run_again_does_each_picture_once(tmp_path, command):
    photo = read_image(PROJECT / "images" / "cat.jpg")[::8, ::8]
    (tmp_path / "photos").mkdir()
    for number in range(4):
        write_picture(tmp_path / "photos" / f"p{number}.png", np.roll(photo, 9 * number, axis=1))
    words = ["photos", "stone.jpg", *ONE_SIZE, "--snapshot-every", "0", "-o"]
    took = []
    for name in ("whole", "again"):
        began = time.monotonic()
        assert command.run([*words, name]) == 0
        took.append(time.monotonic() - began)
    seconds = min(took)  # the first one also reads what later ones find in memory
    whole = {path.name: read_image(path) for path in (tmp_path / "whole").glob("*.png")}
    assert len(whole) == 4
    chance = random.Random(2)
    killed = 0
    for chain in itertools.count():
        if killed >= BATCH_KILLS:
            break
        folder = tmp_path / f"chain{chain}"
        for kill in range(IN_A_ROW + 1):
            signals = list(map(signal.Signals.__getitem__, chance.choice(SIGNALS))) if kill < IN_A_ROW else []
            status = command.run([*words, str(folder)], signals, chance.uniform(0.1, 0.8 * seconds) if signals else 0)
            if status == 0:
                break
            assert signals and status in (-signals[0], 128 + signals[0], 128 + signals[-1]), (status, words)
            killed += 1
        assert status == 0
        lines = [json.loads(line) for line in (folder / "batch.jsonl").read_text().splitlines() if line.endswith("}")]
        assert sorted(line["job"] for line in lines if line.get("state") == "done") == sorted(whole)
        assert not list(folder.rglob(".*")) + list(folder.rglob("checkpoint*"))
        assert (folder / "report.html").read_text().count('data-state="done"') == len(whole)
        for name, image in whole.items():
            np.testing.assert_array_equal(read_image(folder / name), image)
    assert "Traceback" not in (tmp_path / LOG).read_text()


def a_stream_that_is_lost(chance, folder):
    """Return where a stream goes, and what makes it lost: a full disk, nothing at all, or a reader who goes away."""
    kind = chance.choice(["full", "closed", "reader", "reader"])
    if kind != "reader":
        return {"full": "/dev/full", "closed": None}[kind], lambda: None
    pipe = folder / "pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    return str(pipe), lambda: os.close(reader)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_streams_that_are_lost_at_any_moment_cost_no_picture(tmp_path, command):
    photo = read_image(PROJECT / "images" / "cat.jpg")[::8, ::8]
    (tmp_path / "photos").mkdir()
    for number in range(2):
        write_picture(tmp_path / "photos" / f"p{number}.png", np.roll(photo, 9 * number, axis=1))
    alone, batch = [WORDS, "art.png"], [["photos", "stone.jpg", *ONE_SIZE, "--snapshot-every", "0"], "batch"]
    whole = {}
    for words, name in (alone, batch):
        assert command.run([*words, "-o", f"whole_{name}"]) == 0
    whole = {path.name: read_image(path) for path in tmp_path.glob("whole_*/*.png") if path.stem.startswith("p")}
    whole["art.png"] = read_image(tmp_path / "whole_art.png")
    chance = random.Random(3)
    for trial in range(STREAM_TRIALS):
        words, name = alone if trial % 2 else batch
        folder = tmp_path / f"trial{trial}"
        folder.mkdir()
        which = chance.choice(["stdout", "stderr", "stderr"])
        path, lose = a_stream_that_is_lost(chance, folder)
        status = command.run([*words, "-o", str(folder / name)], (), chance.uniform(0, 2), **{which: path}, lose=lose)
        assert status == (1 if (which, path) == ("stdout", "/dev/full") else 0), (which, path)
        made = [folder / name] if trial % 2 else sorted((folder / name).glob("*.png"))
        assert len(made) == (1 if trial % 2 else 2)
        for picture in made:
            np.testing.assert_array_equal(read_image(picture), whole[picture.name])
    assert "Traceback" not in (tmp_path / LOG).read_text()


def layers(least):
    weight = st.floats(0, 10)
    return st.dictionaries(st.sampled_from(LAYERS), weight, min_size=least, max_size=3)


ANY = st.fixed_dictionaries(
    {"size": st.integers(14, 40), "smallest_scale": st.integers(15, 48), "steps": st.just(2)},
    optional={
        "strength": st.floats(0, 1) | st.sampled_from([-0.1, 1.1, float("nan")]),
        "content_weight": st.sampled_from([0, 1e-9, 1, 1e9]),
        "style_weight": st.sampled_from([0, 1e-9, 1, 1e9]),
        "style_layers": layers(0),
        "content_layers": layers(0),
        "style_loss": st.sampled_from(["gram", "covariance", "moments", "other"]),
        "tv_weight": st.floats(0, 100),
        "balance": st.booleans(),
        "style_weights": st.lists(st.floats(0, 3), max_size=3),
        "style_scale": st.lists(st.floats(0.3, 4), max_size=3),
        "preserve_color": st.sampled_from(["none", "luminance", "statistics", "histogram"]),
        "compose": st.floats(0, 1),
        "match_weight": st.sampled_from([0.0, 8.0]),
        "init": st.sampled_from(["content", "noise", "style"]),
        "match_colors": st.booleans(),
        "init_noise": st.floats(0, 1),
        "photo_detail": st.floats(0, 1),
        "optimizer": st.sampled_from(["adam", "lbfgs"]),
        "coarse_steps": st.sampled_from([0.1, 1, 2]),
        "learning_rate": st.sampled_from([1e-6, 8, 255]),
        "decay": st.sampled_from(["cosine", "none"]),
        "beta1": st.sampled_from([0, 0.5, 0.9999]),
        "beta2": st.sampled_from([0, 0.5, 0.999999]),
        "basis": st.sampled_from(["bands", "pixels"]),
        "pooling": st.sampled_from(["max", "avg"]),
        "max_time": st.sampled_from([0, 1e-9, 60]),
        "until_converged": st.booleans(),
    },
)
PICTURES = st.sampled_from(["content", "style", "black", "white", "tall", "one pixel", "one colour", "line"])


@pytest.mark.slow
def test_any_settings_and_pictures_make_a_picture_or_are_refused(tiny_weights, content, style):
    """Whatever goes together gives a finite picture of the size that was asked for; the rest is one UserError."""
    pictures = {
        "content": content,
        "style": style,
        "black": np.zeros((30, 40, 3), np.float32),
        "white": np.ones((17, 16, 3), np.float32),
        "tall": np.repeat(style, 3, axis=0)[:, :20].copy(),
        "one pixel": np.full((1, 1, 3), 0.4, np.float32),
        "one colour": np.full((20, 30, 3), 0.7, np.float32),
        "line": style[:1].copy(),
    }
    networks = {pooling: build_network(tiny_weights, LAYERS, pooling=pooling) for pooling in ("max", "avg")}
    made, refused = [], []

    @settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(ANY, PICTURES, st.lists(PICTURES, min_size=1, max_size=2))
    def check(values, photo, styles):
        try:
            chosen = make_settings(overrides=values)
            inputs = Inputs(pictures[photo], tuple(pictures[name] for name in styles), chosen)
            sizes = [style.shape[:2] for style in inputs.styles]
            scales = plan_scales(inputs.content.shape[:2], sizes, chosen)
            image = stylize(inputs, networks[chosen.pooling], scales)
        except UserError as error:
            refused.append(str(error))
            assert "\n" not in str(error)
            return
        made.append(values)
        assert max(image.shape) == values["size"]
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert image.max() <= 1

    check()
    assert len(made) >= 20
    assert len(refused) >= 10
