import pytest

from nst.errors import UserError
from nst.layers import LAYERS, format_layer_weights, keras_name, layer_name, parse_layer_weights


def test_vgg19_has_sixteen_convolutions():
    assert len(LAYERS) == 16
    assert LAYERS[0] == "conv1_1"
    assert LAYERS[-1] == "conv5_4"


@pytest.mark.parametrize("layer", LAYERS)
def test_three_spellings_name_one_tensor(layer):
    assert layer_name(layer) == layer_name("relu" + layer[4:]) == layer_name(keras_name(layer).upper()) == layer


@pytest.mark.parametrize(
    "name, hint", [("conv4_5", "did you mean conv4_"), ("relu41", "did you mean relu4_1"), ("pool3", "it has conv1_1")]
)
def test_unknown_layer_is_refused_with_a_hint(name, hint):
    with pytest.raises(UserError, match=hint):
        layer_name(name)


def test_weights_are_read_and_written_back():
    weights = parse_layer_weights(["conv1_1:0.5", "block4_conv1", "relu5_1:2e-1"])
    assert weights == (("conv1_1", 0.5), ("conv4_1", 1.0), ("conv5_1", 0.2))
    assert parse_layer_weights(format_layer_weights(weights)) == weights


@pytest.mark.parametrize(
    "words, message",
    [
        (["conv1_1:x"], "above 0"),
        (["conv1_1:"], "above 0"),
        (["conv1_1:-1"], "above 0"),
        (["conv1_1:0"], "above 0"),
        (["conv1_1:nan"], "above 0"),
        (["conv1_1:inf"], "above 0"),
        (["conv1_1:1e300"], "at most 1e\\+09"),
        (["conv1_1", "relu1_1"], "twice"),
        ([], "none given"),
    ],
)
def test_bad_weights_are_refused(words, message):
    with pytest.raises(UserError, match=message):
        parse_layer_weights(words)
