"""Settings as files: what a file may say, who wins, and what an earlier result's record stands for."""

from pathlib import Path

import pytest

from nst.command.config import name_inputs, read_call, read_files
from nst.command.listings import config_text
from nst.errors import UserError
from nst.preset_files import PRESETS, make_settings, presets
from nst.settings import Settings

pytestmark = pytest.mark.usefixtures("elsewhere")


def called(arguments):
    """Return the call that arguments ask for."""
    return read_call(read_files(arguments))


def named(arguments):
    """Return content, styles and settings of a call, with the files that its record names."""
    request = name_inputs(called(arguments))
    (content,) = request.paths["content"]
    return str(content), tuple(map(str, request.paths["style"])), request.settings


def test_flags_win_over_the_file_and_the_file_over_the_preset(config):
    path = config('preset = "course"\nsteps = 20\nseed = 3\n')
    call = called({"config": str(path), "steps": "5"})
    assert call.request.settings == make_settings("course", {"steps": 5, "seed": 3})
    assert called({"config": str(path), "preset": "fast"}).request.settings == make_settings(
        "fast", {"steps": 20, "seed": 3}
    )


def test_flags_win_over_the_options_of_the_call_in_a_file(config):
    path = config('content = "a.png"\nstyle = "b.png"\noutput = "c.png"\n')
    request = called({"config": str(path), "style": ["d.png"]}).request
    assert request.paths == {"content": (Path("a.png"),), "style": (Path("d.png"),)}
    assert (request.output, request.overwrite) == (Path("c.png"), False)


def test_nothing_given_is_the_default():
    assert called({}).request.settings == Settings()


@pytest.mark.parametrize("preset", presets())
def test_printed_settings_read_back_as_the_same(preset, config):
    settings = make_settings(preset)
    assert called({"config": str(config(config_text(settings)))}).request.settings == settings


def test_printed_settings_keep_every_digit_and_character(config):
    overrides = {
        "style_layers": [f"conv1_1:{1 / 3}", "conv4_1:2e-07"],
        "learning_rate": 1e-06,
        "init": 'a "b" \\ é 🎨 \x7f.png',
        "weights": "vgg.mat",
        "size": "original",
    }
    settings = make_settings(overrides=overrides)
    assert called({"config": str(config(config_text(settings)))}).request.settings == settings


@pytest.mark.parametrize("preset", presets())
def test_a_preset_is_a_file_for_config(preset):
    assert called({"config": str(PRESETS / f"{preset}.toml")}).request.settings == make_settings(preset)


def test_a_record_gives_settings_and_inputs(record):
    path = record()
    content, style, settings = named({"settings_from": str(path)})
    assert settings == make_settings("course")
    assert (content, style) == (str(path.parent / "cat.png"), (str(path.parent / "stone.png"),))


def test_flags_and_a_file_win_over_the_record(record, config, tmp_path):
    path = config("steps = 7\nseed = 8\n")
    arguments = {"settings_from": str(record()), "config": str(path), "seed": "9", "content": "other.png"}
    content, style, settings = named(arguments)
    assert settings == make_settings("course", {"steps": 7, "seed": 9})
    assert (content, style) == ("other.png", (str(tmp_path / "stone.png"),))


def test_a_preset_beside_a_record_is_refused(record):
    with pytest.raises(UserError, match="preset best: --settings-from stands in its place"):
        called({"settings_from": str(record()), "preset": "best"})


def test_a_first_picture_and_weights_of_a_record_are_found_too(record, tmp_path):
    settings = {"init": "/far/away/cat.png", "weights": "../vgg.mat"}
    (tmp_path / "vgg.mat").write_bytes(b"")
    arguments = {"settings_from": str(record(settings=settings))}
    plain = called(arguments).request.settings
    assert (plain.init, plain.weights) == ("cat.png", "vgg.mat")
    _, _, found = named(arguments)
    assert (found.init, found.weights) == (str(tmp_path / "cat.png"), str(tmp_path / "vgg.mat"))
    given = {"settings_from": str(record(settings=settings)), "init": "noise", "weights": "imagenet"}
    assert named(given)[2] == Settings(init="noise", weights="imagenet")


def test_masks_and_several_styles_of_a_record_are_found_too(record, tmp_path):
    for name in ("left.png", "right.png", "sky.png"):
        (tmp_path / name).write_bytes(b"")
    files = {
        "content": ["cat.png"],
        "style": ["stone.png", "cat.png"],
        "style_mask": ["left.png", "right.png"],
        "content_mask": ["sky.png"],
    }
    settings = {"style_mask": ["left.png", "right.png"], "content_mask": "sky.png"}
    content, styles, found = named({"settings_from": str(record(files=files, settings=settings, sha256={}))})
    assert (content, styles) == (str(tmp_path / "cat.png"), (str(tmp_path / "stone.png"), str(tmp_path / "cat.png")))
    assert found.style_mask == (str(tmp_path / "left.png"), str(tmp_path / "right.png"))
    assert found.content_mask == str(tmp_path / "sky.png")
