"""Presets of the user's own: by name out of a folder, or as a file."""

import pytest

import neural_art
from nst.errors import UserError
from nst.preset_files import make_settings, own_presets


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "neural_art" / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("size = 300\nstyle-layers = ['conv1_1:0.5']\n")
    return folder


def test_a_preset_of_ones_own_has_a_name(folder, capsys):
    settings = make_settings("mine", {"steps": 3})
    assert (settings.size, settings.style_layers, settings.steps) == (300, (("conv1_1", 0.5),), 3)
    assert neural_art.main(["--preset", "mine", "--print-config"]) == 0
    assert "size = 300" in capsys.readouterr().out
    assert neural_art.main(["--list-presets"]) == 0
    out = capsys.readouterr().out
    assert f"mine: {folder / 'mine.toml'}\n" in out and "    size = 300  [512]" in out


def test_a_preset_may_be_a_file(folder, tmp_path):
    (tmp_path / "other.toml").write_text("size = 77")
    assert make_settings(str(tmp_path / "other.toml")).size == 77


def test_presets_of_the_program_are_not_replaced(folder):
    (folder / "fast.toml").write_text("size = 9000")
    assert list(own_presets()) == ["mine"]
    assert make_settings("fast").size != 9000


def test_mistakes_name_the_file_or_the_presets(folder, tmp_path):
    (folder / "bad.toml").write_text("szie = 3")
    with pytest.raises(UserError, match=r"bad\.toml: szie: there is no such key; did you mean size\?"):
        make_settings("bad")
    with pytest.raises(UserError, match=r"preset mien: there is none; did you mean mine\? .*mine, or a \.toml file"):
        make_settings("mien")
    with pytest.raises(UserError, match=r"none\.toml: no such file"):
        make_settings("none.toml")
    (folder / "photo.toml").write_text("content = 'cat.jpg'")
    with pytest.raises(UserError, match="content"):
        make_settings("photo")
