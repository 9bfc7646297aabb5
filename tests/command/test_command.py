"""The command: what it writes and where, what it says and with which exit code."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import jsonschema
import numpy as np
import pytest
from conftest import PROJECT, SMALL
from PIL import Image

import neural_art
import nst
from nst.network.device import network_precision
from nst.pictures.picture_files import read_comment, read_image, read_picture, write_picture
from nst.system.atomic_files import file_sha256
from nst.transfer import objective

COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]


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
    inputs, estimate, *steps, last = run.stderr.splitlines()
    assert inputs == "cat.jpg in the style of stone.jpg"
    assert re.fullmatch(r"30 steps: about \d+ s and \d+ MB of memory, on the (processor|GPU .*) in \w+", estimate)
    assert all(re.match(r"\d+ px  step \d+/30  total", line) for line in steps), run.stderr
    assert last == f"look at {tmp_path / 'cat' / 'report.html'}"
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
    snapshots = {"step_00003_32px.png", "step_00006_64px.png"}
    assert names == {"losses.csv", "losses.png", "report.html", "settings.json"} | snapshots
    record = json.loads((tmp_path / "art" / "settings.json").read_text())
    assert record["settings"]["steps"] == 2
    assert record["files"] == {"content": ["content.png"], "style": ["style.png"]}
    digests = {name: file_sha256(tmp_path / name) for name in ("content.png", "style.png")}
    assert record["sha256"] == digests
    assert record["versions"]["neural_art"] == nst.__version__
    assert (record["state"], record["steps"], record["steps_planned"]) == ("done", 6, 6)
    assert str(tmp_path) not in json.dumps(record)


def test_a_stopped_picture_says_so(tmp_path, pictures, tiny, stopped_at):
    """Its name is that of a finished one."""
    result = tmp_path / "art.png"
    stopped_at(3, [*pictures, *SMALL, "-o", str(result)])
    for text in ((tmp_path / "art" / "settings.json").read_text(), read_comment(result)):
        record = json.loads(text)
        assert (record["state"], record["steps"], record["steps_planned"]) == ("stopped", 3, 6)
    assert neural_art.main(["--resume", str(tmp_path / "art")]) == 0
    assert json.loads(read_comment(result))["state"] == "done"


def test_the_record_holds_names_instead_of_paths(tmp_path, pictures, tiny):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "style.png").write_bytes((tmp_path / "content.png").read_bytes())
    (tmp_path / "vgg.npz").write_bytes(b"of the tiny network")
    paths = ["--init", str(tmp_path / "other" / "style.png"), "--weights", str(tmp_path / "vgg.npz")]
    assert neural_art.main([*pictures, *SMALL, *paths, "-o", str(tmp_path / "art.png")]) == 0
    record = json.loads((tmp_path / "art" / "settings.json").read_text())
    assert (record["settings"]["init"], record["settings"]["weights"]) == ("style.png", "vgg.npz")
    assert str(tmp_path) not in json.dumps(record)
    assert list(record["sha256"]) == ["content.png"]  # a hash of style.png would not say of which


def test_no_snapshots_with_0_and_no_report_if_unwanted(tmp_path, pictures, tiny):
    words = ["-o", str(tmp_path / "art.png"), "--snapshot-every", "0", "--no-report"]
    assert neural_art.main([*pictures, *SMALL, *words]) == 0
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
        patch.setattr("nst.network.weights.load_weights", lambda _source=None: tiny_weights)
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
    ["--photo-detail", "1"],
    ["--match-weight", "0"],
    ["--compose", "0"],
    ["--color-weight", "0"],
    ["--subject-weight", "0"],
    ["--compose-layers", "none"],
    ["--rotations", "4"],
    ["--average", "1"],
    ["--style-layers", "relu1_1:2", "block3_conv1", "--content-layers", "conv3_2"],
    ["--strength", "0.8"],
    ["--style-loss", "covariance"],
    ["--style-loss", "moments"],
    ["--style-scale", "0.6"],
    ["--preserve-color", "luminance"],
    ["--preserve-color", "statistics", "--style-loss", "moments"],
    ["--preserve-color", "histogram", "--optimizer", "lbfgs"],
    ["--tv-weight", "0.5"],
    ["--coarse-steps", "1"],
    ["--precision", network_precision("auto")],
    ["--verbose"],
]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_flags_change_the_picture(tmp_path, pictures, tiny, plain, flags):
    assert neural_art.main([*pictures, *SMALL, *flags, "-o", str(tmp_path / "other.png")]) == 0
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
    monkeypatch.setattr("nst.run.folder.OUTPUT", tmp_path / "output")
    paths = []
    for _ in range(3):
        assert neural_art.main([*pictures, *SMALL]) == 0
        paths.append(capsys.readouterr().out.strip())
    names = ["content_style.png", "content_style_2.png", "content_style_3.png"]
    assert paths == [str(tmp_path / "output" / name) for name in names]


def test_an_existing_result_needs_overwrite(tmp_path, pictures, tiny, refused):
    result = tmp_path / "art.png"
    result.write_bytes(b"old")
    assert "exists already; give --overwrite" in refused([*pictures, *SMALL, "-o", str(result)])
    assert result.read_bytes() == b"old"
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--overwrite"]) == 0
    assert read_image(result).shape == (46, 64, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.jpg", "stone.jpg"], "none.jpg: no such file, here or among the samples"),
        ([".", "stone.jpg"], ".: is a folder"),
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
        (["cat.jpg", "stone.jpg", "-o", "art"], "cannot write a name without suffix"),
        (["cat.jpg", "stone.jpg", "--init", "none.png"], "none.png: no such file"),
        (["cat.jpg", "stone.jpg", "--weights", "none.mat"], "weights none.mat: no such file; expected VGG19"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(words, message, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert message in refused(words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--config", "art.toml", "--steps", "3"], ["--config", "art.toml"]], ids=len)
def test_a_file_stands_for_flags_and_inputs(tmp_path, pictures, tiny, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "art.png").write_bytes(b"old")
    config = "content = 'content.png'\nstyle = 'style.png'\noutput = 'art.png'\noverwrite = true\nplot = true\n"
    (tmp_path / "art.toml").write_text(config + "verbose = true\nsize = 64\nsmallest_scale = 64\nsteps = 2\n")
    assert neural_art.main(words) == 0
    assert capsys.readouterr().out == "art.png\n"
    assert read_image(tmp_path / "art.png").shape == (46, 64, 3)
    assert (tmp_path / "art" / "losses.png").exists()
    record = json.loads((tmp_path / "art" / "settings.json").read_text())
    assert record["files"] == {"content": ["content.png"], "style": ["style.png"]}
    assert record["settings"]["steps"] == (3 if "--steps" in words else 2)


CONFIGS = [
    ("stepps = 3", "art.toml: stepps: there is no such key; did you mean steps?"),
    ("steps = 0", "art.toml: steps 0: must be a whole number from 1"),
    ("steps = '3'", 'art.toml: steps = "3": must be a number without quotes'),
    ("style-layers = ['conv4_7']", "art.toml: style-layers: layer conv4_7: VGG19 has no such layer"),
    ("overwrite = 1", "art.toml: overwrite = 1: must be true or false"),
    ("steps = ", "art.toml: is not TOML: Invalid value (at "),
    ("preset = 'bets'", "did you mean best?"),
    ("steps = 3", "the following arguments are required: CONTENT, STYLE"),
    ("content = 'cat.jpg'", "the following arguments are required: STYLE"),
    ("content = 'cat.jpg'\nstyle = 'none.jpg'", "none.jpg: no such file, here or among the samples"),
]


@pytest.mark.parametrize(("text", "message"), CONFIGS)
def test_mistakes_in_a_file_are_one_line_and_exit_2(text, message, tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "art.toml").write_text(text)
    assert message in refused(["--config", "art.toml"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config", "none.toml"], "none.toml: no such file"),
        (["--config", ""], ".: is a folder"),
        (["--settings-from", "none.png"], "none.png: no such file"),
        (["--settings-from", "none.json"], "none.json: no such file"),
        (["--settings-from", "."], ".: is a folder"),
    ],
)
def test_files_that_are_none_are_one_line_and_exit_2(words, message, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert message in refused(words)
    assert message in refused([*words, "--print-config"])


@pytest.mark.parametrize("words", [[], ["--preset", "course", "--init", 'a "b" \\ c.png', "--weights", "x.mat"]])
def test_a_printed_configuration_reads_back_as_the_same(words, tmp_path, capsys):
    assert neural_art.main([*words, "--print-config"]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "art.toml").write_text(printed)
    assert neural_art.main(["--config", str(tmp_path / "art.toml"), "--print-config"]) == 0
    assert capsys.readouterr().out == printed
    assert ("steps = 200" in printed) == bool(words)


def test_lists_need_neither_pictures_nor_tensorflow():
    for flag, line in (("--list-layers", "conv4_2  relu4_2  block4_conv2"), ("--list-presets", "    steps = 40  [10]")):
        code = f"import sys, neural_art; print(neural_art.main(['{flag}']), 'tensorflow' in sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
        assert line in run.stdout
        assert run.stdout.splitlines()[-1] == "0 False"


def test_a_result_is_made_again_from_its_record(tmp_path, pictures, tiny, monkeypatch, capsys):
    """Settings and inputs out of settings.json or a picture's comment give the same pixels, with no word of warning."""
    monkeypatch.chdir(tmp_path)
    words = [*SMALL, "--init", pictures[1], "--init-noise", "0.3", "--seed", "5", "-o", "first.png"]
    assert neural_art.main([*pictures, *words]) == 0
    first = read_image(tmp_path / "first.png")
    capsys.readouterr()
    for source in ("first/settings.json", "first.png"):
        assert neural_art.main(["--settings-from", source, "-o", "again.png", "--overwrite"]) == 0
        assert not [line for line in capsys.readouterr().err.splitlines() if line.startswith("neural_art:")]
        np.testing.assert_array_equal(read_image(tmp_path / "again.png"), first)
    other = ["--settings-from", "first.png", "--seed", "6", "-o", "other.png"]
    assert neural_art.main(other) == 0
    assert np.abs(read_image(tmp_path / "other.png") - first).max() > 1 / 255


def test_a_result_of_another_version_or_network_is_warned_of(tmp_path, pictures, tiny, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert neural_art.main([*pictures, *SMALL, "-o", "first.png"]) == 0
    record = json.loads((tmp_path / "first" / "settings.json").read_text())
    record["versions"]["neural_art"] = "0.0.9"
    record["weights_sha256"] = "0" * 64
    (tmp_path / "old.json").write_text(json.dumps(record))
    capsys.readouterr()
    assert neural_art.main(["--settings-from", "old.json", "-o", "again.png"]) == 0
    out, err = capsys.readouterr()
    assert out == "again.png\n"
    lines = [line for line in err.splitlines() if line.startswith("neural_art:")]
    assert lines == [
        f"neural_art: old.json: made with neural_art 0.0.9, here {nst.__version__}: pixels may differ",
        "neural_art: old.json: made with other weights: pixels may differ",
    ]


def test_records_that_do_not_serve_are_one_line_and_exit_2(tmp_path, pictures, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    assert "content.png: holds no record" in refused(["--settings-from", "content.png"])
    write_picture(tmp_path / "studio.jpg", read_image(tmp_path / "content.png"), comment="Made in a studio")
    assert "studio.jpg: its record is damaged or not of" in refused(["--settings-from", "studio.jpg"])
    versions = {"neural_art": nst.__version__, "tensorflow": "2"}
    facts = {"settings": {}, "precision": "float32", "weights_sha256": "0", "versions": versions}
    files = {"content": ["content.png"], "style": ["style.png"]}
    record = {"files": files, "sha256": {"content.png": "0", "style.png": "0"}, **facts}
    (tmp_path / "old.json").write_text(json.dumps(record))
    words = ["--settings-from", "old.json"]
    assert "content.png: is not the content that old.json was made from" in refused(words)
    assert "preset best: --settings-from stands in its place" in refused([*words, "--preset", "best"])


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_a_result_of_any_format_holds_its_record_without_a_path(tmp_path, pictures, tiny, suffix):
    result = tmp_path / f"art.{suffix}"
    assert neural_art.main([*pictures, *SMALL, "--init", pictures[1], "-o", str(result)]) == 0
    text = read_comment(result)
    record, written = json.loads(text), json.loads((tmp_path / "art" / "settings.json").read_text())
    assert record == {name: value for name, value in written.items() if name != "seconds"}
    assert record["settings"]["init"] == "style.png"
    assert str(tmp_path) not in text


@pytest.fixture
def halves(tmp_path):
    """Return the paths of masks of the left and of the right half, and of the whole."""
    left = np.repeat((np.arange(56) < 28)[None, :, None], 40, axis=0) * np.ones(3, np.float32)
    masks = {"left.png": left, "right.png": 1 - left, "whole.png": np.ones_like(left)}
    for name, mask in masks.items():
        write_picture(tmp_path / name, mask.astype(np.float32))
    return [str(tmp_path / name) for name in masks]


def made(tmp_path, *words):
    result = tmp_path / "made.png"
    assert neural_art.main([*words, *SMALL, "--overwrite", "-o", str(result)]) == 0
    return read_image(result)


def test_several_styles_are_blended_by_their_weights(tmp_path, pictures, tiny):
    content, style = pictures
    alone = made(tmp_path, content, style)
    assert np.abs(made(tmp_path, content, style, content, "--style-weights", "1", "0") - alone).mean() < 0.05
    blend = made(tmp_path, content, style, content, "--style-weights", "1", "3", "--style-scale", "1", "0.5")
    assert np.abs(blend - alone).mean() > 0.02


def test_a_folder_of_styles_is_a_blend_of_its_pictures_and_the_name_tells(
    tmp_path, pictures, tiny, monkeypatch, capsys
):
    monkeypatch.setattr("nst.run.folder.OUTPUT", tmp_path / "output")
    folder = tmp_path / "styles"
    folder.mkdir()
    for number in range(5):
        write_picture(folder / f"s{number}.png", read_image(tmp_path / "style.png") * number / 4)
    (folder / "notes.txt").write_text("no picture")
    assert neural_art.main([pictures[0], str(folder), *SMALL]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "output" / "content_s0_s1_s2_and_2_more.png")


@pytest.mark.slow
def test_masks_with_a_blend_with_another_loss_and_with_preserved_colours(tmp_path, pictures, tiny, halves):
    content, style = pictures
    left, right, whole = halves
    usual = made(tmp_path, content, style)
    both = [content, style, content, "--style-mask", left, right]
    half = made(tmp_path, *both, "--style-weights", "3", "1")
    assert np.abs(half[:, :24] - usual[:, :24]).mean() < np.abs(half[:, 40:] - usual[:, 40:]).mean()
    for words in (["--style-loss", "covariance"], ["--style-loss", "moments"], ["--preserve-color", "luminance"]):
        assert np.abs(made(tmp_path, *both, *words) - half).max() > 1 / 255
    assert np.abs(made(tmp_path, content, style, "--content-mask", whole) - usual).mean() < 0.05
    kept = made(tmp_path, content, style, "--content-mask", left)
    photo = made(tmp_path, content, style, "--strength", "0")
    assert np.abs(kept[:, 40:] - photo[:, 40:]).mean() < 0.02 < np.abs(kept[:, :24] - photo[:, :24]).mean()


@pytest.mark.parametrize("words", [[], ["--preserve-color", "luminance"], ["--bit-depth", "16"]])
def test_a_transparent_photo_makes_a_transparent_picture(tmp_path, pictures, tiny, content, words):
    alpha = np.repeat((np.arange(56) < 28)[None], 40, axis=0).astype(np.float32)
    write_picture(tmp_path / "cut.png", content, alpha=alpha, dpi=(300, 300))
    assert neural_art.main([str(tmp_path / "cut.png"), pictures[1], *SMALL, *words, "-o", str(tmp_path / "a.png")]) == 0
    made = read_picture(tmp_path / "a.png")
    np.testing.assert_allclose(made.alpha[:, :28], 1, atol=0.01)
    np.testing.assert_allclose(made.alpha[:, 36:], 0, atol=0.01)
    np.testing.assert_allclose(made.dpi, 300, rtol=0.01)


def test_16_bits_are_more_than_256_levels(tmp_path, pictures, tiny):
    words = [*pictures, *SMALL, "--bit-depth", "16", "-o", str(tmp_path / "a.tif")]
    assert neural_art.main(words) == 0
    assert len(np.unique(read_image(tmp_path / "a.tif"))) > 256


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--style-weights", "1", "2"], "--style-weights: got 2 for 1 style image; give one per image"),
        (["--style-scale", "1", "2"], "--style-scale: got 2 for 1 style image"),
        (["--style-mask", "left.png", "right.png"], "--style-mask: got 2 for 1 style image"),
        (["--style-mask", "none.png"], "none.png: no such file"),
        (["--style-mask", "style.png"], "style.png: a mask of 36x48 px does not fit on the photo of 56x40 px"),
        (["--content-mask", "black.png"], "black.png: the mask is black"),
        (["--bit-depth", "16", "-o", "a.jpg"], "a.jpg: .jpg holds 8 bits a channel, not 16"),
        (["--bit-depth", "12"], "--bit-depth 12: must be 8 or 16"),
        (["--style-loss", "gramm"], "did you mean gram?"),
        (["--preserve-color", "yes"], "must be none or luminance or statistics or histogram"),
        (["--strength", "1.5"], "--strength 1.5: must be a number from 0 to 1"),
        (["--max-time", "soon"], "--max-time soon: must be a time such as 90s, 10m or 1h"),
        (["--max-memory", "much"], "--max-memory much: must be an amount such as 800MB or 4GB"),
        (["--tile", "small"], "--tile small: must be a whole number or 'auto' or 'off'"),
        (["--tile", "8"], "--tile 8: must be a whole number from 64 to 20000"),
        (["--max-time", "-1h"], "--max-time: expected one argument"),
        (["--max-time", "nan"], "--max-time nan: must be a number from 0"),
    ],
)
def test_what_does_not_go_together_is_one_line_and_exit_2(
    refused, words, message, tmp_path, pictures, halves, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "black.png", np.zeros((40, 56, 3), np.float32))
    assert message in refused([*pictures, *words])


def test_a_folder_without_pictures_is_refused(refused, tmp_path, pictures):
    (tmp_path / "empty").mkdir()
    assert "empty: is a folder without pictures" in refused([pictures[0], str(tmp_path / "empty")])


def test_bad_pictures_are_one_line_and_exit_2(tmp_path, pictures, refused):
    damaged = tmp_path / "cut.png"
    whole = (tmp_path / "content.png").read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut short" in refused([str(damaged), pictures[1]])
    write_picture(tmp_path / "narrow.png", np.zeros((4, 200, 3), np.float32))
    assert "needs 16 px a side" in refused([str(tmp_path / "narrow.png"), pictures[1]])


def test_help_explains_every_flag_and_shows_its_default(capsys):
    assert neural_art.main(["--help-all"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for action in neural_art.make_parser()._actions:
        assert action.help
    assert "long side of the result in px, or 'original' for the photo's own size [512]" in text


def test_version(capsys):
    with pytest.raises(SystemExit):
        neural_art.main(["--version"])
    assert capsys.readouterr().out == f"neural_art {nst.__version__}\n"


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
    assert f"{result} is the picture so far; to go on: python neural_art.py --resume {tmp_path / 'art'}" in err
    assert read_image(result).shape == (46, 64, 3)
    assert (tmp_path / "art" / "checkpoint.npz").exists()
    assert not list(tmp_path.rglob(".*.part"))


@pytest.mark.slow
def test_a_limit_of_time_ends_each_scale_early_but_makes_the_whole_picture(tmp_path, pictures, tiny):
    words = [*SMALL, "--steps", "5000", "--max-time", "4s", "-o", str(tmp_path / "art.png")]
    began = time.monotonic()
    assert neural_art.main([*pictures, *words]) == 0
    assert time.monotonic() - began < 12
    assert read_image(tmp_path / "art.png").shape == (46, 64, 3)
    sides = [line.split(",")[1] for line in (tmp_path / "art" / "losses.csv").read_text().splitlines()[1:]]
    assert 1 <= sides.count("64") < 5000
    assert 1 <= sides.count("32") < 10000


def test_converged_scales_end_before_their_steps_are_done(tmp_path, pictures, tiny):
    words = [*SMALL, "--steps", "300", "--decay", "none", "--until-converged", "-o", str(tmp_path / "art.png")]
    assert neural_art.main([*pictures, *words]) == 0
    assert 10 <= len((tmp_path / "art" / "losses.csv").read_text().splitlines()) < 600


def test_a_run_that_cannot_fit_in_memory_is_refused(tmp_path, pictures, tiny, refused, memory):
    memory(2_000)
    words = [*pictures, "--size", "40000", "-o", str(tmp_path / "art.png")]
    assert re.search(r"--size 40000: needs about \d+ MB .* --size \d{4,5} would fit", refused(words))


def test_tiles_give_the_same_picture(tmp_path, pictures, tiny, monkeypatch, capsys):
    sizes = []

    def spy(*given):
        sizes.append(tuple(given[1].shape[:2]))
        return cost_in_tiles(*given)

    cost_in_tiles = objective.cost_in_tiles
    monkeypatch.setattr(objective, "cost_in_tiles", spy)
    for name, tile in (("whole", "off"), ("tiled", "64")):
        words = ["--size", "96", "--smallest-scale", "48", "--steps", "3", "--precision", "float32", "--tile", tile]
        assert neural_art.main([*pictures, *words, "-o", str(tmp_path / f"{name}.png")]) == 0
    whole, tiled = (np.asarray(Image.open(tmp_path / f"{name}.png"), np.int16) for name in ("whole", "tiled"))
    assert sizes == [whole.shape[:2]] * 3
    assert np.abs(whole - tiled).mean() < 0.5
    assert neural_art.main([*pictures, *words, "--dry-run", "-o", str(tmp_path / "more.png")]) == 0
    assert re.search(r"96x\d+ px  3 steps  in tiles of 64 px", capsys.readouterr().out)


def told(words, capsys, code=0, on_step=()):
    """Return the JSON object and the JSON lines that a call tells, both as described."""
    assert neural_art.main([*words, "--json"], on_step=on_step) == code
    out, err = capsys.readouterr()
    content = json.loads(out)
    jsonschema.validate(content, json.loads((PROJECT / "docs" / "result.schema.json").read_text()))
    assert content["code"] == code
    return content, [json.loads(line) for line in err.splitlines()]


def test_json_tells_of_a_run_and_of_each_step(tmp_path, pictures, tiny, capsys):
    result = str(tmp_path / "art.png")
    content, lines = told([*pictures, *SMALL, "-o", result], capsys)
    assert (content["exit"], content["path"], content["message"], content["steps"]) == ("done", result, None, 6)
    assert content["settings"]["steps"] == 2
    assert content["plan"] == [{"size": [23, 32], "steps": 4}, {"size": [46, 64], "steps": 2}]
    inputs = {"event": "inputs", "content": pictures[0], "styles": pictures[1:]}
    assert [line for line in lines if line["event"] == "inputs"] == [inputs]
    assert lines.pop() == {"event": "report", "path": str(tmp_path / "art" / "report.html")}
    lines = [line for line in lines if line["event"] not in ("phase", "inputs")]
    estimate, *steps = lines
    assert estimate["event"] == "estimate" and 0 <= estimate["seconds"] < 60 and estimate["memory_mb"] > 500
    assert [(line["event"], line["number"], line["steps"]) for line in steps] == [("step", n, 6) for n in range(1, 7)]
    assert lines[-1]["costs"] == content["costs"]
    assert lines[-1]["seconds_left"] == 0


def test_json_tells_of_mistakes_stops_and_failures(tmp_path, pictures, tiny, capsys, monkeypatch):
    result = str(tmp_path / "art.png")
    for words in (["--stepps", "3"], ["none.jpg", "stone.jpg"]):
        content, lines = told(words, capsys, neural_art.EXIT_USER_ERROR)
        assert (content["exit"], content["path"], content["settings"], lines) == ("refused", None, None, [])
        assert "did you mean --steps?" in content["message"] or "none.jpg: no such file" in content["message"]

    def stop(step, picture, state):
        raise KeyboardInterrupt(signal.SIGTERM)

    content, _ = told([*pictures, *SMALL, "-o", result], capsys, 128 + signal.SIGTERM, on_step=[stop])
    assert (content["exit"], content["path"], content["steps"]) == ("stopped", result, 1)
    with monkeypatch.context() as patch:
        patch.setattr("nst.transfer.optimizers.finite", lambda numbers: False)
        words = [*pictures, *SMALL, "-o", str(tmp_path / "bad.png")]
        content, _ = told(words, capsys, neural_art.EXIT_FAILED)
    assert (content["exit"], content["path"], content["costs"]) == ("failed", None, None)


def test_quiet_shows_no_progress_but_errors(tmp_path, pictures, tiny, capsys, refused):
    result = str(tmp_path / "art.png")
    assert neural_art.main([*pictures, *SMALL, "-o", result, "--quiet"]) == 0
    assert capsys.readouterr() == (f"{result}\n", "")
    assert "exists already" in refused([*pictures, *SMALL, "-o", result, "--quiet"])


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path, pictures, tiny, capsys, refused):
    before = sorted(tmp_path.rglob("*"))
    result = tmp_path / "new" / "folder" / "art.png"
    assert neural_art.main([*pictures, *SMALL, "-o", str(result), "--dry-run"]) == 0
    plan = capsys.readouterr()
    assert plan.out.splitlines()[:3] == [str(result), "32x23 px  4 steps", "64x46 px  2 steps"]
    assert re.search(r"\nabout \d+ s and \d+ MB of memory", plan.out)
    content, _ = told([*pictures, *SMALL, "-o", str(result), "--dry-run"], capsys)
    assert (content["path"], content["steps"]) == (str(result), 0)
    assert "cannot be written" in refused([*pictures, "-o", f"{pictures[0]}/art.png", "--dry-run"])
    assert sorted(tmp_path.rglob("*")) == before


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

    monkeypatch.setattr("nst.run.results.write_picture", write)
    result = tmp_path / "a.png"
    words = [*pictures, *SMALL, "--snapshot-every", "0", "-o", str(result)]
    assert neural_art.main(words, on_step=[lambda *_: interrupt("step")]) == 128 + signal.SIGTERM
    assert result.exists() == saved
    assert ("is not saved" in capsys.readouterr().err) != saved
