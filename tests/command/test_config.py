"""Settings as files: what a file may say, who wins, and what an earlier result's record stands for."""

import json
from pathlib import Path

import pytest

import nst
from nst.command.config import name_inputs, read_call, read_files
from nst.command.listings import config_text, layers_text, presets_text
from nst.errors import UserError
from nst.layers import LAYERS, layer_name
from nst.run.record import check_recorded, find_input, network_warnings, read_record, version_warnings
from nst.settings import PRESETS, Settings, describe, make_settings, presets
from nst.system.atomic_files import file_sha256
from nst.values import read_config, toml_value


def called(arguments):
    """Return the call that arguments ask for."""
    return read_call(read_files(arguments))


def named(arguments):
    """Return content, styles and settings of a call, with the files that its record names."""
    request = name_inputs(called(arguments))
    (content,) = request.paths["content"]
    return str(content), tuple(map(str, request.paths["style"])), request.settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def config(tmp_path):
    """Return a function that writes a file's text and returns its path."""

    def write(text):
        path = tmp_path / "art.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def record(tmp_path):
    """Return a function that writes a record with changes, and its content and style beside it; return its path."""

    def write(**changes):
        hashes = {}
        for name in ("cat.png", "stone.png"):
            (tmp_path / name).write_bytes(name.encode())
            hashes[name] = file_sha256(tmp_path / name)
        content = {
            "files": {"content": ["cat.png"], "style": ["stone.png"]},
            "result": "cat_stone.png",
            "sha256": hashes,
            "settings": describe(make_settings("course")),
            "precision": "float32",
            "weights_sha256": "0" * 64,
            "versions": {"neural_art": nst.__version__, "tensorflow": "2.18.0"},
        }
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**content, **changes}))
        return path

    return write


def test_a_file_may_say_what_flags_say(config):
    text = """
    steps = 20
    style_weight = 2
    size = "original"
    style-layers = ["relu1_1:0.5", "conv4_1"]
    balance = false
    preset = "best"
    content = "cat.jpg"
    style = ["a.jpg", "b.jpg"]
    style-weights = [3, 1.5]
    style-mask = ["left.png", "right.png"]
    overwrite = true
    [content-layers]
    block4_conv2 = 0.25
    conv5_1 = 2
    """
    assert read_config(config(text)) == {
        "steps": 20,
        "style_weight": 2,
        "size": "original",
        "style_layers": (("conv1_1", 0.5), ("conv4_1", 1.0)),
        "balance": False,
        "preset": "best",
        "content": "cat.jpg",
        "style": ("a.jpg", "b.jpg"),
        "style_weights": (3, 1.5),
        "style_mask": ("left.png", "right.png"),
        "overwrite": True,
        "content_layers": (("conv4_2", 0.25), ("conv5_1", 2.0)),
    }


@pytest.mark.parametrize("text", [b"", b"# nothing\r\n", b"\xef\xbb\xbf"], ids=["empty", "comment", "byte order mark"])
def test_an_empty_file_says_nothing(config, text):
    assert read_config(config(text)) == {}


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stile-weight = 1", "stile-weight: there is no such key; did you mean style-weight?"),
        ("out_put = 'a.png'", "out_put: there is no such key; did you mean output?"),
        ("config = 'b.toml'", "config: there is no such key"),
        ("[look]\nsteps = 3", "look: there is no such key"),
        ("style-weight = 1\nstyle_weight = 2", "style_weight: given twice"),
        ("steps = '3'", 'steps = "3": must be a number without quotes'),
        ("steps = 1.5", "steps 1.5: must be a whole number from 1 to"),
        ("steps = true", "steps True: must be a whole number"),
        ("steps = [3]", "steps [3]: must be a whole number"),
        ("steps = 1979-05-27", "steps 1979-05-27: must be a whole number"),
        ("steps = 1" + "0" * 400, "must be a whole number"),
        ("steps = 1" + "0" * 5000, "is not TOML"),
        ("size = '512'", 'size = "512": must be a number without quotes or "original"'),
        ("content_weight = nan", "content-weight nan: must be a number from 0"),
        ("content_weight = {a = 1}", "content-weight {'a': 1}: must be a number"),
        ("optimizer = 'lbfg'", "optimizer lbfg: must be adam or lbfgs; did you mean lbfgs?"),
        ("optimizer = ['adam']", "optimizer ['adam']: must be adam or lbfgs"),
        ("balance = 'yes'", "balance yes: must be true or false"),
        ("init = 3", "init 3: must be text"),
        ('init = "a\\nb"', '"a\\nb": has a control character'),
        ('output = "a\\u0000.png"', "has a control character"),
        ('[style-layers]\n"conv1_1\\n" = 1', "has a control character"),
        ("style-layers = 'conv1_1'", 'style-layers = "conv1_1": must be a list such as ["conv1_1:0.5", "conv4_1"]'),
        ("style-layers = [1]", "style-layers = [1]: must be a list"),
        ("style-layers = []", "style-layers: layers: none given"),
        ("style-layers = ['conv9_1']", "style-layers: layer conv9_1: VGG19 has no such layer"),
        ("[style-layers]\nconv1_1 = 0", "style-layers: layer conv1_1:0: the weight must be a number above 0"),
        ("[style-layers]\nconv1_1 = true", "style-layers: layer conv1_1:True: the weight must be a number"),
        ("[style-layers]\nconv1_1 = 1\nrelu1_1 = 1", "style-layers: layer relu1_1: named twice"),
        ("overwrite = 'yes'", 'overwrite = "yes": must be true or false'),
        ("output = 3", "output = 3: must be text in quotes"),
        ("preset = ['best']", 'preset = ["best"]: must be text in quotes'),
        ("content = {}", "content = {}: must be text in quotes"),
        ("style = 3", "style = 3: must be text in quotes, or a list of it"),
        ("style-weights = 2", "style-weights = 2: must be a list such as [3, 1]"),
        ("style-weights = ['2']", 'style-weights = ["2"]: must be a list such as [3, 1]'),
        ("style-mask = 'a.png'", 'style-mask = "a.png": must be a list such as'),
        ("steps = 3\nsteps = 4", "is not TOML: Cannot overwrite a value (at "),
        ("size = 3\nsteps : 3", "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 7)"),
        ("a = " + "[" * 5000, "is not TOML"),
        (b"init = '\xff'", "is not UTF-8 text, at byte 9"),
    ],
)
def test_mistakes_name_the_file_and_the_key(config, text, message):
    path = config(text)
    with pytest.raises(UserError) as error:
        read_config(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_file_and_a_folder_are_refused(refused, tmp_path):
    with pytest.raises(UserError, match=r"none\.toml: no such file"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(UserError, match="is a folder"):
        read_config(tmp_path)


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


def test_printed_settings_have_every_key_with_its_help_in_the_order_of_help():
    text = config_text(Settings())
    lines = text.splitlines()
    for name in describe(Settings()):
        key = name.replace("_", "-")
        number = next(number for number, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = "))
        help = Settings.__dataclass_fields__[name].metadata["option"].help
        assert lines[number - 1] == f"# {help}"
    groups = [line.removeprefix("#### ") for line in lines if line.startswith("####")]
    assert groups == list(dict.fromkeys(f.metadata["option"].group for f in Settings.__dataclass_fields__.values()))


@pytest.mark.parametrize("preset", presets())
def test_a_preset_is_a_file_for_config(preset):
    assert called({"config": str(PRESETS / f"{preset}.toml")}).request.settings == make_settings(preset)


def test_toml_values():
    assert [toml_value(value) for value in (True, 3, 0.5, 'a"b', ["a", "b"])] == [
        "true",
        "3",
        "0.5",
        '"a\\"b"',
        '["a", "b"]',
    ]


def test_each_preset_is_listed_with_what_it_changes():
    text = presets_text()
    for name, (purpose, _) in presets().items():
        assert f"{name}: {purpose}\n" in text
    assert text.startswith("default: a finished picture\nbest:")  # the default changes nothing
    assert '    decay = "none"  ["cosine"]' in text


def test_each_layer_is_listed_in_three_spellings_with_its_channels():
    _, *lines = layers_text().splitlines()
    assert len(lines) == len(LAYERS)
    for layer, line in zip(LAYERS, lines, strict=True):
        words = line.split()
        assert [layer_name(word) for word in words[:3]] == [layer] * 3
        assert int(words[3]) in (64, 128, 256, 512)
        assert ("style" in line) == (layer in dict(Settings().style_layers))
        assert ("content" in line) == (layer in dict(Settings().content_layers))


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


def test_a_preset_beside_a_record_is_refused(refused, record):
    with pytest.raises(UserError, match="preset best: --settings-from stands in its place"):
        called({"settings_from": str(record()), "preset": "best"})


def test_a_record_in_a_picture_is_read_from_its_comment(record, tmp_path, monkeypatch):
    text = record().read_text()
    (tmp_path / "art.png").write_bytes(b"picture")
    monkeypatch.setattr("nst.pictures.picture_files.read_comment", lambda path: text, raising=False)
    assert read_record(tmp_path / "art.png").files == {"content": ("cat.png",), "style": ("stone.png",)}
    for nothing in (None, "", " \n"):
        monkeypatch.setattr(
            "nst.pictures.picture_files.read_comment", lambda path, nothing=nothing: nothing, raising=False
        )
        with pytest.raises(UserError, match=r"art\.png: holds no record"):
            read_record(tmp_path / "art.png")


def test_inputs_are_looked_up_beside_the_result_then_here_then_among_the_samples(record, tmp_path, monkeypatch):
    read = read_record(record(sha256={}))
    monkeypatch.setattr("nst.run.input_files.SAMPLES", tmp_path / "images")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "cat.png").write_bytes(b"")
    (tmp_path / "here" / "cat.png").write_bytes(b"")
    for place in (tmp_path / "cat.png", "cat.png", tmp_path / "images" / "cat.png"):
        assert find_input(read, "content", 0) == Path(place)
        (tmp_path / "here" / place).unlink()
    with pytest.raises(UserError, match=r"its content cat\.png is not beside it, here or in images/; give CONTENT"):
        find_input(read, "content", 0)


def test_an_input_with_another_hash_is_refused_unless_the_same_lies_elsewhere(record, tmp_path):
    read = read_record(record())
    (tmp_path / "stone.png").write_bytes(b"another")
    (path,) = [find_input(read, "style", 0)]
    with pytest.raises(UserError, match=r"stone\.png: is not the style .* another SHA-256; give STYLE"):
        check_recorded(read, "style", (path,), (file_sha256(path),))
    (tmp_path / "here" / "stone.png").write_bytes(b"stone.png")
    path = find_input(read, "style", 0)
    assert path == Path("stone.png")
    check_recorded(read, "style", (path,), (file_sha256(path),))


def test_an_input_whose_name_another_has_too_is_not_guessed(record):
    files = {"content": ["cat.png"], "style": ["cat.png"]}
    read = read_record(record(files=files, sha256={"stone.png": "0"}))
    with pytest.raises(UserError, match=r"more than one of its inputs is called cat\.png; give STYLE"):
        find_input(read, "style", 0)


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


def test_words_in_a_record_are_no_files(record):
    read = read_record(record(settings={"init": "style", "weights": "imagenet"}))
    assert read.files == {"content": ("cat.png",), "style": ("stone.png",)}


def test_a_record_leads_to_no_other_folder(record):
    files = {"content": ["/etc/passwd"], "style": [".."]}
    read = read_record(record(files=files, sha256={}))
    assert read.files["content"] == ("passwd",)
    with pytest.raises(UserError, match=r"its style \.\. is not beside it"):
        find_input(read, "style", 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": None}, "damaged or not of neural_art"),
        ({"settings": "text"}, "damaged or not of neural_art"),
        ({"files": {"content": [3], "style": ["a"]}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a", "b"], "style": ["a"]}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a"], "style": []}}, "damaged or not of neural_art"),
        ({"files": {"content": ["a"], "style": [""]}}, "damaged or not of neural_art"),
        ({"files": "text"}, "damaged or not of neural_art"),
        ({"sha256": {"cat.png": 3}}, "damaged or not of neural_art"),
        ({"sha256": ["cat.png"]}, "damaged or not of neural_art"),
        ({"versions": {"neural_art": "0.1.0"}}, "damaged or not of neural_art"),
        ({"weights_sha256": None}, "damaged or not of neural_art"),
        ({"settings": {"stepps": 3}}, "stepps: there is no such setting"),
        ({"settings": {"steps": "3"}}, 'steps = "3": must be a number'),
        ({"settings": {"steps": 0}}, "steps 0: must be a whole number"),
        ({"settings": {"init": None}}, "init None: must be text"),
        ({"files": {"content": ["a\nb.png"], "style": ["b.png"]}}, "has a control character"),
    ],
)
def test_damaged_records_are_refused(refused, record, changes, message):
    path = record(**changes)
    with pytest.raises(UserError) as error:
        read_record(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["Made in a studio", "{", "[]", "3", "null", '{"content": "a"}', "[" * 100_000])
def test_what_is_no_record_is_refused(refused, tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UserError, match="damaged or not of neural_art"):
        read_record(tmp_path / "settings.json")


@pytest.mark.parametrize("depth", [400, 900, 5000])
def test_a_record_of_lists_in_lists_is_refused(refused, record, depth):
    path = record(settings={"style_layers": "HERE"})
    path.write_text(path.read_text().replace('"HERE"', "[" * depth + "]" * depth))
    with pytest.raises(UserError, match=r"damaged or not of neural_art|must be a list"):
        read_record(path)


def test_other_versions_are_told(record, monkeypatch):
    monkeypatch.setattr("nst.run.record.version", lambda name: "2.18.0")
    assert version_warnings(read_record(record())) == []
    path = record(versions={"neural_art": "0.0.1", "tensorflow": "2.17.0"})
    expected = f"made with neural_art 0.0.1, here {nst.__version__}; tensorflow 2.17.0, here 2.18.0: pixels may differ"
    assert version_warnings(read_record(path)) == [f"{path}: {expected}"]


def test_another_network_is_told(record):
    read = read_record(record())
    assert network_warnings(read, {"precision": "float32", "weights_sha256": "0" * 64}) == []
    (line,) = network_warnings(read, {"precision": "bfloat16", "weights_sha256": "1"})
    assert "made with other weights; precision float32, here bfloat16: pixels may differ" in line
