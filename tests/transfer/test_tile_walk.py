"""The walk over tiles: each segment's input as for the whole picture, and gradients back to the same pixels."""

import numpy as np
import pytest
import tensorflow as tf

from nst.transfer.tile_walk import run_on_core, tiles_for, walk_backward, walk_forward

IMAGE = np.random.default_rng(1).uniform(size=(101, 143, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def whole(tiny_network):
    """The input of each segment, computed in one piece."""
    inputs = [tf.constant(IMAGE)]
    for segment in tiny_network.segments[:-1]:
        inputs.append(segment.run(inputs[-1])[1])
    return [x.numpy() for x in inputs]


def forward(segment, x, tile):
    return run_on_core(segment, x, tf.constant(tile.core_edges))[1]


def test_tiles_give_each_segment_its_input_for_the_whole_picture(tiny_network, whole):
    found = list(walk_forward(tiny_network, IMAGE, 64, forward))
    assert len(tiles_for(tiny_network.segments[0], IMAGE.shape[:2], 64)) > 4
    for ours, expected in zip(found, whole, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_run_on_core_cuts_what_indexing_cuts(tiny_network):
    segment = tiny_network.segments[0]
    tile = tiles_for(segment, IMAGE.shape[:2], 64)[3]
    x = tf.constant(IMAGE[tile.whole(1)])
    (top, bottom), (left, right) = tile.core_edges
    found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
    whole, whole_output = segment.run(x)
    for stride, ours, expected in (
        (1, found["conv1_2"], whole["conv1_2"]),
        (4, found["conv3_1"], whole["conv3_1"]),
        (8, output, whole_output),
    ):
        expected = expected[top // stride : bottom // stride, left // stride : right // stride]
        np.testing.assert_array_equal(ours, expected)


def test_a_chain_goes_back_to_the_gradient_of_the_whole_picture(tiny_network, whole):
    """Two chains, of the sum of conv5_4 and of three times that sum."""

    def backward(segment, x, tile, above):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            found, output = run_on_core(segment, x, tf.constant(tile.core_edges))
            total = tf.reduce_sum(found["conv5_4"]) if output is None else None
        if output is None:
            return [factor * tape.gradient(total, x) for factor in (1, 3)]
        return [tape.gradient(output, x, output_gradients=upstream) for upstream in above]

    first, second = walk_backward(tiny_network, whole, 64, 2, backward)
    with tf.GradientTape() as tape:
        image = tf.constant(IMAGE)
        tape.watch(image)
        total = tf.reduce_sum(tiny_network(image)["conv5_4"])
    expected = tape.gradient(total, image).numpy()
    np.testing.assert_allclose(first, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(second, 3 * first, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
