"""VGG19: its layers, the same numbers as of another implementation, and a gradient."""

import numpy as np
import pytest
import tensorflow as tf

from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, stride_px
from nst.network.vgg19 import build_network


def test_layers_have_their_channels_and_sizes(vgg19_of_the_course):
    found = vgg19_of_the_course(tf.random.uniform([48, 64, 3]))
    assert set(found) == set(LAYERS)
    for layer, activation in found.items():
        halvings = 2 ** (block_of(layer) - 1)
        assert activation.shape == (48 // halvings * 64 // halvings, CHANNELS_PER_BLOCK[block_of(layer) - 1])
        assert tf.reduce_min(activation) >= 0
        assert tf.reduce_max(activation) > 0


def test_only_the_wanted_layers_are_computed(tiny_weights):
    shallow = {layer: tiny_weights[layer] for layer in LAYERS[:2]}
    assert set(build_network(shallow, ["conv1_2"])(tf.zeros([16, 16, 3]))) == {"conv1_2"}


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_network_equals_an_independent_one(tiny_weights, content, numpy_vgg19, pooling):
    image = content[:33]  # an odd height
    found = build_network(tiny_weights, ["conv1_1", "conv3_2", "conv5_1"], pooling=pooling)(tf.constant(image))
    expected = numpy_vgg19(tiny_weights, image[None], pooling)
    assert len(found) == 3
    for layer, activation in found.items():
        wanted = expected[layer].reshape(activation.shape)
        np.testing.assert_allclose(activation, wanted, rtol=1e-3, atol=1e-3 * wanted.max())


def test_bfloat16_network_is_near_float32(tiny_weights, content):
    exact, near = (
        build_network(tiny_weights, ["conv4_1"], precision=precision)(tf.constant(content))["conv4_1"]
        for precision in ("float32", "bfloat16")
    )
    assert near.dtype == tf.bfloat16
    error = tf.norm(tf.cast(near, tf.float32) - exact) / tf.norm(exact)
    assert 0 < error < 0.03


def test_small_gradients_survive_float16(tiny_weights, content):
    """Gradients of about 1e-9, as in a large picture, are far below the 6e-8 that float16 holds."""
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


def test_segments_are_the_network_in_three_parts(tiny_network, content):
    """Each segment takes the output of the segment before."""
    x, found = tf.constant(content), {}
    for segment in tiny_network.segments:
        assert (x.shape[2], x.dtype) == (segment.channels, segment.dtype)
        some, x = segment.run(x)
        assert tuple(some) == segment.layers
        found |= some
    assert x is None
    for layer, activation in tiny_network(tf.constant(content)).items():
        np.testing.assert_array_equal(activation, tf.reshape(found[layer], activation.shape))


@pytest.mark.parametrize(("layers", "count"), [(["conv1_1"], 1), (["conv4_1", "conv2_1"], 9), (["conv5_1"], 13)])
def test_a_network_up_to_some_layers_computes_no_others(tiny_network, content, layers, count):
    """There is a ReLU for each layer that is computed."""
    cut = tiny_network.up_to(layers)
    graph = tf.function(cut).get_concrete_function(tf.TensorSpec([None, None, 3])).graph
    assert sum(operation.type == "Relu" for operation in graph.get_operations()) == count
    found, whole = cut(tf.constant(content)), tiny_network(tf.constant(content))
    assert list(found) == [layer for layer in LAYERS if layer <= max(layers)]
    for layer in layers:
        np.testing.assert_array_equal(found[layer], whole[layer])
    assert tiny_network.up_to(layers) == cut


def test_an_activation_sees_no_further_than_the_reach_of_its_segment(tiny_network):
    for segment in tiny_network.segments:
        stride, last_stride = stride_px(segment.first_block), stride_px(segment.last_block)
        row = 64 // last_stride  # of the segment's last activation
        seen = [64 - segment.reach_px, 64 + last_stride + segment.reach_px]  # px of the picture
        with tf.GradientTape() as tape:
            x = tf.random.stateless_uniform([160 // stride, 32 // stride, segment.channels], [1, 2])
            tape.watch(x)
            found, _ = segment.run(tf.cast(x, segment.dtype))
            total = tf.reduce_sum(found[segment.layers[-1]][row])
        rows = np.flatnonzero(np.abs(tape.gradient(total, x)).max(axis=(1, 2))) * stride
        assert seen[0] <= rows.min() < rows.max() < seen[1]


def test_the_gradient_of_what_is_read_in_passing_is_that_of_the_activations(tiny_network):
    image = tf.constant(np.random.default_rng(0).uniform(size=(40, 56, 3)), tf.float32)
    gradients = []
    for one_way_back in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = tiny_network.readings(
                image,
                lambda layer, activation: {"mean": tf.reduce_mean(activation), "squares": [tf.square(activation)]},
                one_way_back=one_way_back,
            )
            cost = tf.add_n([each["mean"] + tf.reduce_mean(each["squares"][0]) for each in found.values()])
        gradients.append(tape.gradient(cost, image).numpy())
    assert np.abs(gradients[0]).max() > 0
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-4, atol=1e-6 * np.abs(gradients[0]).max())


def test_a_reader_may_read_nothing_of_a_layer(tiny_network):
    image = tf.constant(np.random.default_rng(0).uniform(size=(40, 56, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(image)
        found = tiny_network.readings(
            image, lambda layer, x: [tf.reduce_mean(x)] if layer == "conv3_1" else [], one_way_back=True
        )
    assert np.abs(tape.gradient(found["conv3_1"][0], image)).max() > 0
