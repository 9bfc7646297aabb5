"""Tiles cover a picture: cores once, and halos wide enough."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nst.transfer.tiles import Tile, fits, fraction_in_core, spans, tiles


@example(97, 64, (64, 32))  # larger than a tile, but smaller than two halos
@given(st.integers(16, 6000), st.integers(64, 1500), st.sampled_from([(24, 8), (32, 16), (32, 32), (64, 32), (8, 8)]))
def test_cores_cover_the_picture_once_and_halos_are_wide_enough(length, side, margins):
    halo, grid = margins
    found = spans(length, side, halo, grid)
    assert (found[0].core_start, found[-1].core_stop) == (0, length)
    for span in found:
        assert span.start <= max(0, span.core_start - halo)
        assert span.stop >= min(length, span.core_stop + halo)
        assert span.core_start < span.core_stop
        assert span.start % grid == span.core_start % grid == 0
        assert span.stop - span.start <= max(side, 2 * halo + grid) + 2 * grid
    assert len({span.stop - span.start for span in found[:-1]}) <= 1
    assert all(one.core_stop == other.core_start for one, other in itertools.pairwise(found))


def test_a_core_has_its_place_in_the_picture_and_in_its_tile():
    """Cut from the picture, and from the tile's own array, the core is the same."""
    rows, columns = (spans(length, 64, 16, 16)[1] for length in (160, 200))
    tile, stride = Tile(rows, columns), 4
    positions = {(y, x): (y, x) for y in range(160 // stride) for x in range(200 // stride)}
    whole, core = (
        [range(*part.indices(10**6)) for part in slices] for slices in (tile.whole(stride), tile.core(stride))
    )
    (top, bottom), (left, right) = tile.core_edges
    own = [whole[0][top // stride : bottom // stride], whole[1][left // stride : right // stride]]
    assert own == core
    assert set(itertools.product(*core)) <= set(positions)


@pytest.mark.parametrize("layer", ["conv1_1", "conv3_4", "conv5_1"])
def test_cores_have_all_positions_of_a_layer_together(layer):
    found = tiles((171, 333), 1, 38, 16, 96)
    assert len(found) > 4
    assert sum(fraction_in_core(tile, (171, 333), layer) for tile in found) == pytest.approx(1)


def test_a_picture_fits_with_as_many_pixels_as_a_tile():
    assert fits((32, 128), 64)
    assert not fits((33, 128), 64)
