"""The same network from every kind of file, and refusals in words."""

import h5py
import numpy as np
import pytest
import scipy.io
import tensorflow as tf

from nst.errors import UserError
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, keras_name
from nst.network.vgg19 import MEAN_RGB
from nst.network.weights import EMBEDDED, load_weights, weights_sha256


@pytest.fixture(autouse=True)
def small_network(request, monkeypatch):
    """Let the checks expect a sixteenth of VGG19's channels, unless a test takes the real weights."""
    if "vgg19_weights" not in request.fixturenames:
        monkeypatch.setattr(
            "nst.network.weights.CHANNELS_PER_BLOCK", tuple(channels // 16 for channels in CHANNELS_PER_BLOCK)
        )


def assert_same(found, expected):
    for layer in LAYERS:
        for array, other in zip(found[layer], expected[layer], strict=True):
            np.testing.assert_array_equal(array, other)
    assert weights_sha256(found) == weights_sha256(expected)


def bgr(layer, kernel):
    return kernel[:, :, ::-1] if layer == LAYERS[0] else kernel


def test_embedded_weights_are_vgg19(vgg19_weights):
    assert sum(kernel.size + bias.size for kernel, bias in vgg19_weights.values()) == 20_024_384
    assert list(vgg19_weights) == list(LAYERS)


def cell(items):
    array = np.empty((1, len(items)), object)
    array[0, :] = items
    return array


@pytest.mark.parametrize("structure", ["new", "old", "oldest"])
def test_matconvnet_files_are_read(tmp_path, tiny_weights, structure):
    """imagenet-vgg-verydeep-19.mat as published in 2015 (name first), 2014 (weights first), and with filters/biases."""
    layers = []
    for layer in LAYERS:
        kernel, bias = tiny_weights[layer]
        pair = cell([kernel, bias.reshape(1, -1)])
        fields = {
            "new": {"name": layer, "type": "conv", "weights": pair, "pad": [1, 1, 1, 1], "stride": [1, 1]},
            "old": {"weights": pair, "pad": [1, 1, 1, 1], "type": "conv", "name": layer, "stride": [1, 1]},
            "oldest": {"filters": kernel, "biases": bias.reshape(1, -1), "type": "conv", "name": layer},
        }[structure]
        layers += [fields, {"type": "relu", "name": "relu" + layer[4:]}]
    path = tmp_path / "imagenet-vgg-verydeep-19.mat"
    scipy.io.savemat(path, {"layers": cell(layers), "meta": {"normalization": {"averageImage": np.array(MEAN_RGB)}}})
    assert_same(load_weights(str(path)), tiny_weights)


@pytest.mark.parametrize("structure", ["notop", "top", "model"])
def test_keras_files_are_read(tmp_path, tiny_weights, structure):
    """vgg19_weights_tf_dim_ordering_tf_kernels[_notop].h5, and a whole saved model."""
    path = tmp_path / "vgg19.h5"
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if structure == "model" else file
        for layer in LAYERS:
            name, (kernel, bias) = keras_name(layer), tiny_weights[layer]
            group = root.create_group(name)
            names = (
                (f"{name}/kernel:0", f"{name}/bias:0") if structure == "model" else (f"{name}_W_1:0", f"{name}_b_1:0")
            )
            group[names[0]], group[names[1]] = bgr(layer, kernel), bias
        if structure == "top":
            root["fc1/fc1_W_1:0"], root["fc1/fc1_b_1:0"] = np.ones((8, 4)), np.ones(4)
    assert_same(load_weights(str(path)), tiny_weights)


def test_npz_is_read_from_any_path(tmp_path, tiny_weights):
    arrays = {}
    for layer in LAYERS:
        kernel, bias = tiny_weights[layer]
        codebook, codes = np.unique(bgr(layer, kernel), return_inverse=True)
        arrays |= {f"{layer}/codes": codes.reshape(kernel.shape), f"{layer}/codebook": codebook, f"{layer}/bias": bias}
    np.savez_compressed(tmp_path / "mine.npz", **arrays)
    assert_same(load_weights(str(tmp_path / "mine.npz")), tiny_weights)


def test_imagenet_comes_through_keras(monkeypatch, tiny_weights):
    class Layer:
        def __init__(self, name):
            layer = f"conv{name[5]}_{name[-1]}"
            kernel, bias = tiny_weights[layer]
            self.arrays = [bgr(layer, kernel), bias]

        def get_weights(self):
            return self.arrays

    class Model:
        get_layer = Layer

    def vgg19(weights, include_top):
        assert (weights, include_top) == ("imagenet", False)
        return Model()

    monkeypatch.setattr(tf.keras.applications, "VGG19", vgg19)
    assert_same(load_weights("imagenet"), tiny_weights)


def test_failed_download_is_one_line(monkeypatch):
    def vgg19(**_options):
        raise Exception("URL fetch failure on https://example.org/vgg19.h5: None -- no route\nmore")

    monkeypatch.setattr(tf.keras.applications, "VGG19", vgg19)
    with pytest.raises(UserError, match="could not download") as error:
        load_weights("imagenet")
    assert "\n" not in str(error.value)


def refusal(path):
    with pytest.raises(UserError) as error:
        load_weights(str(path))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("suffix", ["npz", "mat", "h5"])
@pytest.mark.parametrize(
    "data", [b"", b"nothing of the kind", b"\x89HDF\r\n\x1a\n" + b"\0" * 90, b"PK\x03\x04" + b"\0" * 50]
)
def test_foreign_files_are_refused(tmp_path, suffix, data):
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(data)
    assert "damaged" in refusal(path)


def test_truncated_weights_are_refused(tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(EMBEDDED.read_bytes()[:1_000_000])
    assert "damaged or cut short" in refusal(path)


def test_missing_file_and_other_suffix_say_what_is_expected(tmp_path):
    assert "no such file; expected VGG19 as" in refusal(tmp_path / "none.mat")
    assert "or the word imagenet" in refusal(tmp_path / "weights.pth")


def test_another_network_is_refused_by_its_shapes(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["block1_conv1/kernel:0"], file["block1_conv1/bias:0"] = np.ones((5, 5, 3, 64)), np.ones(64)
    assert "is not VGG19: the kernel of conv1_1 is (5, 5, 3, 64), expected" in refusal(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path, tiny_weights):
    path = tmp_path / "nan.mat"
    broken = dict(tiny_weights, conv3_1=(tiny_weights["conv3_1"][0] * np.nan, tiny_weights["conv3_1"][1]))
    layers = [{"name": layer, "weights": cell([kernel, bias])} for layer, (kernel, bias) in broken.items()]
    scipy.io.savemat(path, {"layers": cell(layers)})
    assert "conv3_1 holds numbers that are not finite" in refusal(path)
