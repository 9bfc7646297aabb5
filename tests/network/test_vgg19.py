"""VGG19: one network whatever file its weights come in, and refusals in words."""

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.signal
import tensorflow as tf

from nst.errors import UserError
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, keras_name
from nst.network.vgg19 import MEAN_RGB, build_network
from nst.network.weights import EMBEDDED, load_weights, weights_sha256


@pytest.fixture(scope="module")
def weights():
    return load_weights()


@pytest.fixture(autouse=True)
def small_network(request, monkeypatch):
    """Let the checks expect a sixteenth of VGG19's channels, unless a test takes the real weights."""
    if "weights" not in request.fixturenames:
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


def test_embedded_weights_are_vgg19(weights):
    assert sum(kernel.size + bias.size for kernel, bias in weights.values()) == 20_024_384
    assert list(weights) == list(LAYERS)


def test_layers_have_their_channels_and_sizes(weights):
    found = build_network(weights, LAYERS)(tf.random.uniform([48, 64, 3]))
    for layer, activation in found.items():
        halvings = 2 ** (block_of(layer) - 1)
        assert activation.shape == (48 // halvings * 64 // halvings, CHANNELS_PER_BLOCK[block_of(layer) - 1])
        assert tf.reduce_min(activation) >= 0
        assert tf.reduce_max(activation) > 0


def test_only_the_wanted_layers_are_computed(tiny_weights):
    shallow = {layer: tiny_weights[layer] for layer in LAYERS[:2]}
    assert set(build_network(shallow, ["conv1_2"])(tf.zeros([16, 16, 3]))) == {"conv1_2"}


def independent_features(weights, image, layers, pooling):
    """Compute VGG19 with SciPy's correlation, in float64."""
    x, found = image.astype(np.float64) * 255 - MEAN_RGB, {}
    for layer in LAYERS[: 1 + LAYERS.index(layers[-1])]:
        if layer.endswith("_1") and layer != "conv1_1":
            height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
            cells = x[:height, :width].reshape(height // 2, 2, width // 2, 2, -1)
            x = cells.max(axis=(1, 3)) if pooling == "max" else cells.mean(axis=(1, 3))
        kernel, bias = weights[layer]
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        x = np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)
        if layer in layers:
            found[layer] = x.reshape(-1, x.shape[-1])
    return found


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_network_equals_an_independent_one(tiny_weights, content, pooling):
    layers = ["conv1_1", "conv3_2", "conv5_1"]
    found = build_network(tiny_weights, layers, pooling=pooling)(tf.constant(content[:33]))  # an odd height
    for layer, expected in independent_features(tiny_weights, content[:33], layers, pooling).items():
        np.testing.assert_allclose(found[layer], expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_bfloat16_network_is_near_float32(tiny_weights, content):
    exact, near = (
        build_network(tiny_weights, ["conv4_1"], precision=precision)(tf.constant(content))["conv4_1"]
        for precision in ("float32", "bfloat16")
    )
    assert near.dtype == tf.bfloat16
    error = tf.norm(tf.cast(near, tf.float32) - exact) / tf.norm(exact)
    assert 0 < error < 0.03


def test_small_gradients_survive_float16(tiny_weights, content):
    """About 1e-9, as in a large picture, far below the 6e-8 that float16 holds."""
    gradients = []
    for precision in ("float32", "float16"):
        features = build_network(tiny_weights, ["conv4_1"], pooling="avg", precision=precision)
        image = tf.constant(content)
        with tf.GradientTape() as tape:
            tape.watch(image)
            cost = 1e-6 * tf.reduce_mean(tf.square(features(image)["conv4_1"]))
        gradients.append(tape.gradient(cost, image))
    assert tf.norm(gradients[1] - gradients[0]) < 0.25 * tf.norm(gradients[0])  # some ReLUs flip; unscaled, it is 1


def test_gradient_of_the_network_equals_finite_differences(tiny_weights, style):
    features = build_network(tiny_weights, ["conv2_2"], pooling="avg")
    image, direction = tf.constant(style), tf.random.stateless_normal(style.shape, [1, 2])

    def cost(picture):
        return tf.reduce_mean(features(picture)["conv2_2"])

    with tf.GradientTape() as tape:
        tape.watch(image)
        value = cost(image)
    slope = tf.reduce_sum(tape.gradient(value, image) * direction)
    step = 1e-4
    np.testing.assert_allclose(
        slope, (cost(image + step * direction) - cost(image - step * direction)) / (2 * step), rtol=0.03
    )


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
def test_foreign_files_are_refused(refused, tmp_path, suffix, data):
    path = tmp_path / f"weights.{suffix}"
    path.write_bytes(data)
    assert "damaged" in refusal(path)


def test_truncated_weights_are_refused(refused, tmp_path):
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


def test_numbers_that_are_not_finite_are_refused(refused, tmp_path, tiny_weights):
    path = tmp_path / "nan.mat"
    broken = dict(tiny_weights, conv3_1=(tiny_weights["conv3_1"][0] * np.nan, tiny_weights["conv3_1"][1]))
    layers = [{"name": layer, "weights": cell([kernel, bias])} for layer, (kernel, bias) in broken.items()]
    scipy.io.savemat(path, {"layers": cell(layers)})
    assert "conv3_1 holds numbers that are not finite" in refusal(path)
