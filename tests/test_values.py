"""Values in files: what a file may say of settings and of a call."""

import pytest

from nst.errors import UserError
from nst.values import read_config, toml_value

pytestmark = pytest.mark.usefixtures("elsewhere")


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
        ("[style-layers]\nconv1_1 = 0", "style-layers: layer conv1_1:0: the weight must be above 0"),
        ("[style-layers]\nconv1_1 = true", "style-layers: layer conv1_1:True: the weight must be above 0"),
        ("[style-layers]\nconv1_1 = 1\nrelu1_1 = 1", "style-layers: layer relu1_1: named twice"),
        ("overwrite = 'yes'", 'overwrite = "yes": must be true or false'),
        ("output = 3", "output = 3: must be text in quotes"),
        ("preset = ['best']", 'preset = ["best"]: must be text in quotes'),
        ("content = {}", "content = {}: must be text in quotes"),
        ("style = 3", "style = 3: must be text in quotes, or a list of it"),
        ("style-weights = 2", "style-weights = 2: must be a list such as [3, 1]"),
        ("style-weights = ['2']", 'style-weights = ["2"]: must be a list such as [3, 1]'),
        ("style-mask = 'a.png'", 'style-mask = "a.png": must be a list such as'),
        ("steps = 3\nsteps = 4", "is not TOML: Can"),
        ("size = 3\nsteps : 3", "after a key in a key/value pair (at line 2, column 7)"),
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


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"none\.toml: no such file"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(UserError, match="is a folder"):
        read_config(tmp_path)


def test_toml_values():
    assert [toml_value(value) for value in (True, 3, 0.5, 'a"b', ["a", "b"])] == [
        "true",
        "3",
        "0.5",
        '"a\\"b"',
        '["a", "b"]',
    ]
