import argparse
import dataclasses
import json

import pytest

from nst.command.parser import add_flags
from nst.errors import UserError
from nst.options import flag
from nst.preset_files import DEFAULT_PRESET, PRESETS, describe, make_settings, presets
from nst.settings import STYLE_LAYERS, Settings


def parsed(words: list[str]) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return vars(parser.parse_args(words))


def test_no_flag_leaves_all_defaults():
    assert parsed([]) == {}
    assert make_settings() == Settings()
    assert Settings().style_layers == STYLE_LAYERS


EXAMPLES = {
    "strength": (["0.7"], 0.7),
    "content_weight": (["0.5"], 0.5),
    "style_weight": (["2"], 2.0),
    "style_layers": (["relu1_1:0.5", "conv4_1"], (("conv1_1", 0.5), ("conv4_1", 1.0))),
    "content_layers": (["block5_conv2"], (("conv5_2", 1.0),)),
    "style_loss": (["moments"], "moments"),
    "style_weights": (["3", "1.5"], (3.0, 1.5)),
    "style_scale": (["0.5"], (0.5,)),
    "style_mask": (["left.png", "right.png"], ("left.png", "right.png")),
    "source_mask": (["sky.png", "ground.png"], ("sky.png", "ground.png")),
    "content_mask": (["sky.png"], "sky.png"),
    "preserve_color": (["luminance"], "luminance"),
    "tv_weight": (["1e-2"], 0.01),
    "balance": ([], True),
    "size": (["original"], "original"),
    "smallest_scale": (["64"], 64),
    "largest_scale": (["256"], 256),
    "match_colors": ([], True),
    "init": (["some/file.png"], "some/file.png"),
    "init_noise": (["0.25"], 0.25),
    "seed": (["12"], 12),
    "photo_detail": (["0.5"], 0.5),
    "match_weight": (["4"], 4.0),
    "match_layers": (["conv3_1"], (("conv3_1", 1.0),)),
    "rotations": (["4"], 4),
    "color_weight": (["0.5"], 0.5),
    "compose": (["0.5"], 0.5),
    "compose_layers": (["none"], ()),
    "subject_weight": (["0.5"], 0.5),
    "average": (["0.5"], 0.5),
    "optimizer": (["lbfgs"], "lbfgs"),
    "steps": (["7"], 7),
    "coarse_steps": (["1.5"], 1.5),
    "fine_steps": (["0.5"], 0.5),
    "learning_rate": (["3.5"], 3.5),
    "decay": (["none"], "none"),
    "beta1": (["0.5"], 0.5),
    "beta2": (["0.999"], 0.999),
    "basis": (["pixels"], "pixels"),
    "weights": (["imagenet"], "imagenet"),
    "pooling": (["avg"], "avg"),
    "precision": (["bfloat16"], "bfloat16"),
    "threads": (["2"], 2),
    "bit_depth": (["16"], 16),
    "snapshot_every": (["0"], 0),
    "max_time": (["10m"], 600),
    "until_converged": ([], True),
    "checkpoint_every": (["2.5"], 2.5),
    "max_memory": (["4GB"], 4000),
    "tile": (["512"], 512),
    "steadiness": (["10"], 10.0),
    "frame_steps": (["6"], 6),
    "start": (["1:30"], "1:30"),
    "end": (["300f"], "300f"),
    "fps": (["12.5"], 12.5),
    "codec": (["h265"], "h265"),
    "video_quality": (["22"], 22),
    "audio": ([], True),
    "keep_frames": ([], True),
}


def test_every_setting_has_an_example_here():
    assert set(EXAMPLES) == {item.name for item in dataclasses.fields(Settings)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_has_a_flag(name):
    words, value = EXAMPLES[name]
    settings = make_settings(overrides=parsed([flag(name), *words]))
    assert getattr(settings, name) == value
    assert make_settings(overrides=describe(settings)) == settings


@pytest.mark.parametrize("name", ["balance", "match_colors"])
def test_switches_can_be_turned_off(name):
    assert getattr(make_settings(overrides=parsed(["--no-" + name.replace("_", "-")])), name) is False


@pytest.mark.parametrize("preset", presets())
def test_settings_survive_json(preset):
    settings = make_settings(preset)
    assert make_settings(overrides=json.loads(json.dumps(describe(settings)))) == settings


def test_a_flag_wins_over_the_preset():
    assert make_settings("course", {"steps": "3"}).steps == 3


def test_course_holds_the_numbers_of_the_course():
    course = make_settings("course")
    assert (course.content_weight, course.style_weight, course.learning_rate, course.steps) == (10, 40, 2, 200)
    assert (course.pooling, course.init_noise, course.size, course.balance) == ("avg", 0.6, 400, False)
    assert (course.optimizer, course.decay, course.basis, course.average) == ("adam", "none", "pixels", 0)


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("steps", "many", "--steps many: must be a whole number"),
        ("steps", "1.5", "--steps 1.5: must be a whole number"),
        ("steps", "0", "--steps 0: must be a whole number from 1 to"),
        ("size", "huge", "--size huge: must be a whole number or 'original'"),
        ("size", "8", "--size 8: must be a whole number from 16"),
        ("content_weight", "-1", "--content-weight -1.0: must be a number from 0"),
        ("content_weight", "nan", "--content-weight nan: must be a number"),
        ("init_noise", "1.5", "from 0 to 1"),
        ("beta1", "1", "--beta1"),
        ("optimizer", "lbfg", "--optimizer lbfg: must be adam or lbfgs; did you mean lbfgs?"),
        ("pooling", "mean", "must be max or avg"),
        ("style_layers", ["conv9_1"], "layer conv9_1"),
        ("learning_rate", "0", "--learning-rate"),
        ("balance", "yes", "--balance yes: must be true or false"),
        ("init", 3, "--init 3: must be text"),
        ("bit_depth", "12", "--bit-depth 12: must be 8 or 16"),
        ("style_weights", ["1", "x"], "--style-weights x: must be a number"),
        ("style_weights", ["-1"], "--style-weights -1.0: must be a number from 0"),
        ("style_weights", ["0", "0"], "--style-weights: are all 0"),
        ("style_scale", ["0.01"], "--style-scale 0.01: must be a number from 0.05"),
        ("style_scale", 1, "--style-scale 1: must be a list"),
        ("style_mask", [3], "--style-mask 3: must be text"),
        ("strength", "2", "--strength 2.0: must be a number from 0 to 1"),
        ("stile_weight", "1", "setting stile_weight: there is none; did you mean style_weight?"),
    ],
)
def test_bad_values_are_refused_in_words(name, words, message):
    with pytest.raises(UserError) as error:
        make_settings(overrides={name: words})
    assert message in str(error.value)


@pytest.mark.parametrize(("name", "value"), [("steps", 10**400), ("content_weight", -(10**400))])
def test_numbers_beyond_float_are_refused_too(name, value):
    with pytest.raises(UserError, match="must be a"):
        make_settings(overrides={name: value})


def test_layer_weights_keep_all_their_digits():
    settings = make_settings(overrides={"style_layers": [f"conv1_1:{1 / 3}", "conv2_1:3e-07", "conv3_1:2"]})
    assert make_settings(overrides=describe(settings)) == settings


def test_presets_are_the_files_in_their_folder_and_say_what_they_are_for():
    files = {path.stem for path in PRESETS.glob("*")}
    assert set(presets()) == files
    assert next(iter(presets())) == DEFAULT_PRESET
    for purpose, _ in presets().values():
        assert len(purpose) > 10
        assert "#" not in purpose


def test_misspelt_preset_gets_a_hint():
    with pytest.raises(UserError, match="did you mean course"):
        make_settings("corse")


NO_WEIGHT = {"content_weight": 0, "style_weight": 0, "match_weight": 0, "color_weight": 0}


@pytest.mark.parametrize(
    "overrides",
    [
        NO_WEIGHT,
        {"strength": 0, "content_weight": 0, "color_weight": 0},
        {**NO_WEIGHT, "strength": 1, "content_weight": 1},
    ],
)
def test_not_all_weights_can_be_zero(overrides):
    with pytest.raises(UserError, match="are all 0; raise one"):
        make_settings(overrides=overrides)


@pytest.mark.parametrize("name", ["match_weight", "style_weight", "content_weight", "color_weight"])
def test_one_weight_is_enough(name):
    assert any(make_settings(overrides={**NO_WEIGHT, name: 1}).cost_weights)


@pytest.mark.parametrize(("name", "instead"), [("strokes", "--match-weight"), ("copies", "--compose")])
def test_a_setting_that_is_gone_says_what_to_use(name, instead):
    with pytest.raises(UserError, match=f"setting {name}: is gone: .*{instead}"):
        make_settings(overrides={name: 1})


def test_the_network_has_the_layers_that_are_used():
    off = {"match_weight": 0, "compose": 0, "subject_weight": 0, "style_layers": ["conv1_1"]}
    assert make_settings(overrides=off).network_layers == {"conv1_1", "conv4_2"}
    assert {"conv5_1", "conv4_4", "conv3_1"} <= make_settings().network_layers
    assert make_settings("course").network_layers == {"conv4_2", *dict(make_settings("course").style_layers)}
