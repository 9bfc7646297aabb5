"""The command: what it writes and where, what it says and with which exit code."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import PROJECT
from PIL import Image

import neural_art
import nst
from nst.image_io import read_image, write_picture
from nst.job import _network

COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]
SMALL = ["--size", "64", "--smallest-scale", "32", "--steps", "2"]


@pytest.fixture
def pictures(tmp_path, content, style):
    write_picture(tmp_path / "content.png", content)
    write_picture(tmp_path / "style.png", style)
    return [str(tmp_path / "content.png"), str(tmp_path / "style.png")]


@pytest.fixture
def tiny(monkeypatch, tiny_weights):
    """Run within this process, with a tiny network; return the sources that weights were loaded from."""
    sources = []

    def load(source=None):
        sources.append(source)
        return tiny_weights

    monkeypatch.setattr("nst.vgg19.load_weights", load)
    _network.cache_clear()
    yield sources
    _network.cache_clear()


def refused(words, capsys):
    """Return the one line with which the command refuses `words`, having written nothing to stdout."""
    assert neural_art.main(words) == neural_art.USER_ERROR
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_pictures_of_one_process_share_the_network(pictures, tmp_path, tiny):
    for name in ("a.png", "b.png"):
        assert neural_art.main([*pictures, *SMALL, "-o", str(tmp_path / name)]) == 0
    assert tiny == [None]


def test_real_command_redraws_a_sample(tmp_path):
    """The real weights, from the shell: the result is neither the photo nor noise, and stdout holds only its path."""
    result = tmp_path / "cat.png"
    words = ["cat.jpg", "stone.jpg", "--size", "64", "--smallest-scale", "64", "--steps", "30", "--threads", "2"]
    run = subprocess.run([*COMMAND, *words, "-o", str(result)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{result}\n"
    assert all(re.match(r"\d+ px  step \d+/30  total", line) for line in run.stderr.splitlines()), run.stderr
    image = read_image(result)
    photo = np.asarray(Image.open(PROJECT / "images" / "cat.jpg").resize((64, 48))) / 255
    stone = np.asarray(Image.open(PROJECT / "images" / "stone.jpg").resize((64, 64))) / 255
    assert image.shape == (48, 64, 3)
    assert 0.05 < np.abs(image - photo).mean() < 0.4
    np.testing.assert_allclose(image.mean((0, 1)), stone.mean((0, 1)), atol=0.08)  # the style's colours


def test_everything_of_a_run_lies_in_its_folder(tmp_path, pictures, tiny, capsys):
    result = tmp_path / "art.png"
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--snapshot-every", "3", "--plot"]) == 0
    assert capsys.readouterr().out == f"{result}\n"
    names = {path.name for path in (tmp_path / "art").iterdir()}
    assert names == {"losses.csv", "losses.png", "settings.json", "step_00003_32px.png", "step_00006_64px.png"}
    record = json.loads((tmp_path / "art" / "settings.json").read_text())
    assert record["settings"]["steps"] == 2
    assert record["content"] == "content.png"
    assert record["versions"]["neural_art"] == nst.__version__
    assert str(tmp_path) not in json.dumps(record)


def test_no_snapshots_with_0(tmp_path, pictures, tiny):
    assert neural_art.main([*pictures, *SMALL, "-o", str(tmp_path / "art.png"), "--snapshot-every", "0"]) == 0
    assert {path.name for path in (tmp_path / "art").iterdir()} == {"losses.csv", "settings.json"}


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_the_suffix_chooses_the_format(tmp_path, pictures, tiny, suffix):
    assert neural_art.main([*pictures, *SMALL, "-o", str(tmp_path / f"art.{suffix}")]) == 0
    with Image.open(tmp_path / f"art.{suffix}") as picture:
        assert picture.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF"}[suffix]
        assert picture.size == (64, 46)


@pytest.fixture(scope="module")
def plain(tmp_path_factory, tiny_weights, content, style):
    """The picture without any flag."""
    folder = tmp_path_factory.mktemp("plain")
    write_picture(folder / "content.png", content)
    write_picture(folder / "style.png", style)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst.vgg19.load_weights", lambda _source=None: tiny_weights)
        words = [str(folder / "content.png"), str(folder / "style.png"), *SMALL, "-o", str(folder / "plain.png")]
        assert neural_art.main(words) == 0
    return read_image(folder / "plain.png")


FLAGS = [
    ["--preset", "fast"],
    ["--optimizer", "lbfgs"],
    ["--pooling", "avg"],
    ["--no-balance", "--content-weight", "10", "--style-weight", "40"],
    ["--basis", "pixels", "--decay", "none", "--learning-rate", "2", "--beta1", "0.9", "--beta2", "0.999"],
    ["--init", "noise", "--seed", "3"],
    ["--init", "style", "--no-match-colors"],
    ["--init-noise", "0.5"],
    ["--style-layers", "relu1_1:2", "block3_conv1", "--content-layers", "conv3_2"],
    ["--tv-weight", "0.5"],
    ["--no-copies", "--coarse-steps", "1"],
    ["--precision", "float32"],
    ["--verbose"],
]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_flags_change_the_picture(tmp_path, pictures, tiny, plain, flags):
    assert neural_art.main([*pictures, *flags, *SMALL, "-o", str(tmp_path / "other.png")]) == 0
    other = read_image(tmp_path / "other.png")
    if flags[0] in ("--precision", "--verbose", "--preset"):
        np.testing.assert_array_equal(plain, other)  # the sizes and steps of a preset are overridden here
    else:
        assert np.abs(plain - other).max() > 1 / 255


def test_start_from_a_file(tmp_path, pictures, tiny):
    words = [*SMALL, "--init", pictures[1], "--no-match-colors", "--steps", "1", "--learning-rate", "0.001"]
    assert neural_art.main([*pictures, *words, "-o", str(tmp_path / "a.png")]) == 0
    assert np.abs(read_image(tmp_path / "a.png") - read_image(tmp_path / "content.png").mean()).std() > 0.1


def test_names_made_by_the_program_never_overwrite(tmp_path, pictures, tiny, monkeypatch, capsys):
    monkeypatch.setattr("nst.job.OUTPUT", tmp_path / "output")
    paths = []
    for _ in range(3):
        assert neural_art.main([*pictures, *SMALL]) == 0
        paths.append(capsys.readouterr().out.strip())
    names = ["content_style.png", "content_style_2.png", "content_style_3.png"]
    assert paths == [str(tmp_path / "output" / name) for name in names]


def test_an_existing_result_needs_overwrite(tmp_path, pictures, tiny, capsys):
    result = tmp_path / "art.png"
    result.write_bytes(b"old")
    assert "exists already; give --overwrite" in refused([*pictures, *SMALL, "-o", str(result)], capsys)
    assert result.read_bytes() == b"old"
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--overwrite"]) == 0
    assert read_image(result).shape == (46, 64, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.jpg", "stone.jpg"], "none.jpg: no such file, here or in images/"),
        (["cat.jpg", "."], ".: is a folder"),
        (["cat.jpg"], "the following arguments are required: STYLE"),
        (["cat.jpg", "stone.jpg", "--stepps", "3"], "did you mean --steps?"),
        (["cat.jpg", "stone.jpg", "--steps", "0"], "--steps 0: must be a whole number from 1"),
        (["cat.jpg", "stone.jpg", "--preset", "bets"], "did you mean best?"),
        (
            ["cat.jpg", "stone.jpg", "--style-layers", "conv4_7"],
            "layer conv4_7: VGG19 has no such layer; did you mean conv4_",
        ),
        (["cat.jpg", "stone.jpg", "--style-layers", "conv4_1:0"], "above 0"),
        (["cat.jpg", "stone.jpg", "-o", "art.jgp"], "cannot write .jgp; did you mean .jpg?"),
        (["cat.jpg", "stone.jpg", "-o", "/proc/none/art.png"], "cannot be written"),
        (["cat.jpg", "stone.jpg", "-o", "a" * 300 + ".png"], "cannot be written"),
        (["cat.jpg", "stone.jpg", "-o", "."], "cannot write a name without suffix"),
        (["cat.jpg", "stone.jpg", "--init", "none.png"], "none.png: no such file"),
        (["cat.jpg", "stone.jpg", "--weights", "none.mat"], "weights none.mat: no such file; expected VGG19"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert message in refused(words, capsys)
    assert list(tmp_path.iterdir()) == []


def test_bad_pictures_are_one_line_and_exit_2(tmp_path, pictures, capsys):
    damaged = tmp_path / "cut.png"
    whole = (tmp_path / "content.png").read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut short" in refused([str(damaged), pictures[1]], capsys)
    write_picture(tmp_path / "narrow.png", np.zeros((4, 200, 3), np.float32))
    assert "needs 16 px a side" in refused([str(tmp_path / "narrow.png"), pictures[1]], capsys)


def test_help_explains_every_flag_and_shows_its_default(capsys):
    with pytest.raises(SystemExit) as exit:
        neural_art.main(["--help"])
    assert exit.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for action in neural_art.make_parser()._actions:
        assert action.help
    assert "long side of the result in px, or 'original' for the content's own [512]" in text


def test_version(capsys):
    with pytest.raises(SystemExit):
        neural_art.main(["--version"])
    assert capsys.readouterr().out == f"neural_art {nst.__version__}\n"


def test_every_flag_is_in_the_readme_with_its_default_and_help():
    rows = [
        line for line in (PROJECT / "README.md").read_text().replace("\\|", "|").splitlines() if line.startswith("| `")
    ]
    for action in neural_art.make_parser()._actions:
        name = next((flag for flag in action.option_strings if flag.startswith("--")), action.metavar)
        explanation, _, default = action.help.rstrip("]").partition(" [")
        row = next((row for row in rows if row.startswith(f"| `{name}")), "")
        assert explanation in row, name
        assert default in row, name


def test_flag_errors_do_not_wait_for_tensorflow():
    code = "import sys, neural_art; neural_art.main(['a', 'b', '--steps', 'x']); print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_saves_the_picture_so_far(tmp_path, pictures, number, code):
    result = tmp_path / "art.png"
    words = [
        *pictures,
        "--size",
        "64",
        "--smallest-scale",
        "32",
        "--steps",
        "100000",
        "-o",
        str(result),
        "--snapshot-every",
        "1",
    ]
    with subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True) as run:
        for _ in range(600):
            if list((tmp_path / "art").glob("step_*")) or run.poll() is not None:
                break
            time.sleep(0.1)
        os.kill(run.pid, number)
        try:
            _, err = run.communicate(timeout=60)
        finally:
            run.kill()
    assert run.returncode == code
    assert "Traceback" not in err
    assert read_image(result).shape == (46, 64, 3)
    assert not list(tmp_path.rglob(".*.part"))


@pytest.mark.parametrize(
    ("interrupted", "saved"),
    [(["step"], True), (["write"], True), (["step", "write"], False), (["write", "write"], False)],
)
def test_signals_while_saving(tmp_path, pictures, tiny, capsys, monkeypatch, interrupted, saved):
    """One signal, even in the last write, still leaves the picture; a second one ends at once, and says so."""
    pending = list(interrupted)

    def interrupt(place):
        if pending[:1] == [place]:
            pending.pop(0)
            raise KeyboardInterrupt(signal.SIGTERM)

    def write(path, image, **metadata):
        interrupt("write")
        write_picture(path, image, **metadata)

    monkeypatch.setattr("nst.job.Progress.show", lambda *_: interrupt("step"))
    monkeypatch.setattr("nst.job.write_picture", write)
    result = tmp_path / "a.png"
    assert neural_art.main([*pictures, *SMALL, "--snapshot-every", "0", "-o", str(result)]) == 128 + signal.SIGTERM
    assert result.exists() == saved
    assert ("is not saved" in capsys.readouterr().err) != saved
