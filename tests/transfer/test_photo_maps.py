"""The maps of a photo: structure, the subject, and what they leave to the style."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import SHALLOW

from nst.layers import SUBJECT_MAP_LAYER
from nst.preset_files import make_settings
from nst.transfer import stylize, view
from nst.transfer.inputs import Inputs
from nst.transfer.matching import make_match
from nst.transfer.photo_maps import make_photo_maps, resize_map, structure_map, subject_map
from nst.transfer.scales import Scale, plan_scales
from nst.transfer.tiles import UNTILED_PX
from nst.transfer.view import activations, make_view


def half_plain(size=(80, 120)):
    photo = np.full((*size, 3), 0.5, np.float32)
    photo[:, size[1] // 2 :] = np.random.default_rng(0).uniform(size=(size[0], size[1] - size[1] // 2, 3))
    return photo


def test_structure_is_where_lightness_varies():
    found = structure_map(half_plain())
    assert found.shape == (80, 120)
    assert found[:, :50].max() < 0.05
    assert found[:, 70:].min() > 0.8
    assert structure_map(np.full((40, 40, 3), 0.3, np.float32)).max() == 0


def test_the_subject_is_where_the_network_sees_most(tiny_network):
    found = subject_map(tiny_network(tf.constant(half_plain()))[SUBJECT_MAP_LAYER], (80, 120))
    assert found.shape == (80, 120)
    assert found.min() >= 0
    assert found.max() == 1
    assert found[:, 80:].mean() > found[:, :40].mean() + 0.3


@pytest.mark.parametrize("compose", [0.0, 0.5, 1.0])
def test_compose_is_how_little_is_kept_where_the_photo_is_plain(tiny_network, compose):
    photo = half_plain()
    maps = make_photo_maps(tiny_network, photo, make_settings(overrides={"compose": compose, "subject_weight": 0}))
    np.testing.assert_allclose(maps.kept[:, :40], 1 - compose, atol=0.01)
    np.testing.assert_allclose(maps.kept[:, 90:], 1, atol=0.2)
    assert maps.plain[:, :40].mean() == pytest.approx(1 if compose else 0, abs=0.01)


def test_a_subject_is_kept_even_if_it_is_plain(tiny_network):
    given = [make_settings(overrides={"subject_weight": weight}) for weight in (1.0, 0.0)]
    with_subject, without = (make_photo_maps(tiny_network, half_plain(), settings) for settings in given)
    assert without.subject.max() == 0
    assert np.all(with_subject.kept >= with_subject.subject - 1e-6)
    assert np.all(with_subject.kept >= without.kept - 1e-6)


def test_maps_of_large_photos_are_small(tiny_network):
    maps = make_photo_maps(tiny_network, half_plain((600, 900)), make_settings())
    assert maps.kept.shape == (341, 512)
    assert resize_map(maps.kept, (600, 900)).shape == (600, 900)
    assert resize_map(maps.kept, (20, 30)).max() <= 1


def test_maps_are_no_larger_than_the_largest_picture_that_is_painted(shallow_network, content, style, monkeypatch):
    sizes = []

    def made(*given):
        sizes.append(make_photo_maps(*given).kept.shape)
        return make_photo_maps(*given)

    monkeypatch.setattr(stylize, "make_photo_maps", made)
    for largest in (0, 40):
        overrides = {**SHALLOW, "size": 56, "smallest_scale": 20, "largest_scale": largest, "steps": 1}
        inputs = Inputs(content, (style,), make_settings(overrides=overrides))
        scales = plan_scales(content.shape[:2], [style.shape[:2]], inputs.settings)
        stylize.stylize(inputs, shallow_network, scales)
    assert [max(size) for size in sizes] == [56, 40]


def test_activations_that_the_maps_were_made_from_serve_as_content_targets(tiny_network, style, monkeypatch):
    """At the size of the maps the photo does not go through the network again; at others it does."""
    seen = []
    monkeypatch.setattr(view, "activations", lambda *given: seen.append(given[1].shape[:2]) or activations(*given))
    inputs = Inputs(half_plain(), (style,), make_settings())
    maps = make_photo_maps(tiny_network, inputs.content, inputs.settings)
    for size in ((80, 120), (40, 60)):
        scale = Scale(size, ((48, 36),), 1)
        match = make_match(tiny_network, inputs, scale, None, tile_px=UNTILED_PX)
        there = make_view(tiny_network, inputs, scale, maps, match).targets.content
        again = make_view(tiny_network, inputs, scale, maps._replace(seen={}), match).targets.content
        assert list(there) == list(again)
        for layer, target in there.items():
            np.testing.assert_array_equal(target.wanted, again[layer].wanted)
    assert seen == [(80, 120), (40, 60), (40, 60)]
