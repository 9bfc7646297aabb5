"""The scales of a run: sizes about twice as large as the ones before, and their steps."""

import itertools

import pytest

from nst.errors import UserError
from nst.settings import Settings
from nst.transfer.scales import painted_scale, plan_scales


def test_scales_double_from_128_to_the_size():
    scales = plan_scales((768, 1024), [(562, 718)], Settings(steps=10, coarse_steps=2))
    assert [scale.size for scale in scales] == [(96, 128), (192, 256), (384, 512)]
    assert [max(scale.style_sizes[0]) for scale in scales] == [128, 256, 512]
    assert [scale.steps for scale in scales] == [40, 20, 10]


def test_beyond_512_px_scales_get_fewer_steps():
    scales = plan_scales((2160, 3840), [(562, 718)], Settings(size=3840, steps=16, coarse_steps=2.0, fine_steps=0.5))
    assert [max(scale.size) for scale in scales] == [128, 253, 499, 985, 1945, 3840]
    assert [scale.steps for scale in scales] == [64, 32, 16, 8, 4, 2]


def test_other_sizes_keep_the_ratio_near_two():
    sizes = [max(scale.size) for scale in plan_scales((300, 300), [(300, 300)], Settings(size=700))]
    assert (sizes[0], sizes[-1]) == (128, 700)
    assert all(1.4 < large / small < 2.83 for small, large in itertools.pairwise(sizes))


def test_original_size_is_the_contents_own():
    assert plan_scales((333, 500), [(100, 100)], Settings(size="original"))[-1].size == (333, 500)


def test_a_size_below_the_smallest_scale_is_one_scale():
    assert [scale.size for scale in plan_scales((50, 100), [(100, 100)], Settings(size=100))] == [(50, 100)]


def test_scales_too_narrow_for_the_network_are_left_out():
    sizes = [scale.size for scale in plan_scales((50, 1000), [(100, 100)], Settings(size=512))]
    assert sizes == [(26, 512)]


def test_too_narrow_a_result_is_refused_with_the_reason():
    with pytest.raises(UserError, match="512x10 px, but VGG19 halves a picture four times and needs 16 px"):
        plan_scales((20, 1000), [(100, 100)], Settings(size=512))


def test_narrow_style_is_enlarged_until_the_network_sees_it():
    assert plan_scales((512, 512), [(10, 1000)], Settings(size=512))[-1].style_sizes[0][0] == 16


def test_styles_have_a_scale_of_their_own_or_one_for_all():
    sizes = [(200, 400), (300, 300)]
    each = plan_scales((300, 400), sizes, Settings(size=400, style_scale=(1.0, 0.5)))
    assert each[-1].style_sizes == ((200, 400), (200, 200))
    assert plan_scales((300, 400), sizes, Settings(size=400, style_scale=(2.0,)))[-1].style_sizes == (
        (400, 800),
        (800, 800),
    )


def test_beyond_the_largest_scale_a_result_is_only_enlarged():
    scales = plan_scales((768, 1024), [(562, 718)], Settings(steps=6, coarse_steps=1.5, largest_scale=256))
    assert [(max(scale.size), scale.steps) for scale in scales] == [(128, 9), (256, 6), (512, 0)]
    assert painted_scale(scales) == scales[1]
    assert [scale.steps for scale in plan_scales((768, 1024), [(562, 718)], Settings(steps=16, largest_scale=2000))][
        -1
    ] == 16


def test_a_largest_scale_too_small_for_the_network_is_refused():
    with pytest.raises(UserError, match="--largest-scale 20: there a side of the picture would be less than 16 px"):
        plan_scales((100, 400), [(100, 100)], Settings(largest_scale=20))
