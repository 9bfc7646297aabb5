"""A colour means what the profile beside it says; profiles that say nothing sensible are passed over."""

import struct

import numpy as np
import pytest
from PIL import Image

from nst.pictures.color_profiles import srgb_profile, to_srgb
from nst.pictures.picture_files import read_image, write_picture

DISPLAY_P3 = [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)]
ADOBE_RGB = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
LINEAR = b"curv" + bytes(4) + (0).to_bytes(4, "big")
GAMMA_2_2 = b"curv" + bytes(4) + (1).to_bytes(4, "big") + b"\x02\x33"
SRGB_CURVE = b"para" + bytes(4) + b"\0\3\0\0"
SRGB_CURVE += b"".join(round(v * 65536).to_bytes(4, "big") for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def icc(colours, kind, connection, tags):
    """Return the profile of the given tags: a header of 128 bytes, a table, the data."""
    table, data, offset = len(tags).to_bytes(4, "big"), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", offset + len(data), len(value))
        data += value.ljust(-len(value) % 4 + len(value), b"\0")
    header = struct.pack(">I4sI4s4s4s", offset + len(data), b"lcms", 0x02400000, kind, colours, connection)
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + xyz((0.9642, 1, 0.8249))[8:]
    return header.ljust(128, b"\0") + table + data


def xyz(values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def rgb_profile(primaries, curve):
    tags = {f"{c}XYZ".encode(): xyz(p) for c, p in zip("rgb", primaries, strict=True)}
    tags |= {f"{c}TRC".encode(): curve for c in "rgb"}
    return icc(b"RGB ", b"mntr", b"XYZ ", {b"wtpt": xyz((0.9642, 1, 0.8249)), **tags})


def grey_profile(curve):
    return icc(b"GRAY", b"mntr", b"XYZ ", {b"wtpt": xyz((0.9642, 1, 0.8249)), b"kTRC": curve})


def cmyk_profile():
    """A press whose first ink is red, sRGB's own, and whose other inks are black."""
    inks = [(c, m + y + k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    red, paper, black = (138, 209, 198), (255, 128, 128), (0, 128, 128)  # CIE Lab as 8 bits
    table = b"".join(bytes(black if dark else red if first else paper) for first, dark in inks)
    identity = b"".join(round(v * 65536).to_bytes(4, "big") for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + table + bytes(range(256)) * 3
    return icc(b"CMYK", b"prtr", b"Lab ", {b"A2B0": lut, b"wtpt": xyz((0.9642, 1, 0.8249))})


def read_levels(tmp_path, picture, suffix, profile):
    picture.save(tmp_path / f"picture.{suffix}", icc_profile=profile)
    return np.rint(read_image(tmp_path / f"picture.{suffix}")[8, 8] * 255).astype(int)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize(
    ("primaries", "curve", "there", "here"),
    [
        (DISPLAY_P3, SRGB_CURVE, (234, 51, 35), (255, 0, 0)),
        (DISPLAY_P3, SRGB_CURVE, (117, 251, 76), (0, 255, 0)),
        (ADOBE_RGB, GAMMA_2_2, (219, 0, 0), (255, 0, 0)),
        (ADOBE_RGB, GAMMA_2_2, (144, 255, 60), (0, 255, 0)),
        (ADOBE_RGB, LINEAR, (55, 55, 55), (128, 128, 128)),
    ],
)
def test_one_colour_in_two_spaces(tmp_path, suffix, primaries, curve, there, here):
    options = {"quality": 100, "lossless": True}
    picture = Image.new("RGB", (16, 16), there)
    picture.save(tmp_path / f"picture.{suffix}", icc_profile=rgb_profile(primaries, curve), **options)
    levels = read_image(tmp_path / f"picture.{suffix}")[8, 8] * 255
    np.testing.assert_allclose(levels, here, atol=6 if suffix == "jpg" else 3)


def test_alpha_and_palette_stay_what_they_are_under_a_profile(tmp_path):
    profile = rgb_profile(DISPLAY_P3, SRGB_CURVE)
    levels = read_levels(tmp_path, Image.new("RGBA", (16, 16), (234, 51, 35, 127)), "png", profile)
    np.testing.assert_allclose(levels, (255, 128, 128), atol=2)
    palette = Image.new("P", (16, 16), 3)
    palette.putpalette([0, 0, 0] * 3 + [117, 251, 76])
    np.testing.assert_allclose(read_levels(tmp_path, palette, "png", profile), (0, 255, 0), atol=3)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_grey_of_a_linear_profile(tmp_path, suffix):
    levels = read_levels(tmp_path, Image.new("L", (16, 16), 55), suffix, grey_profile(LINEAR))
    np.testing.assert_allclose(levels, 128, atol=1)


def test_grey_of_16_bits_keeps_its_depth_under_a_profile(tmp_path):
    values = (np.linspace(0.2, 0.22, 256) * 65535).astype(np.uint16).reshape(16, 16)
    Image.fromarray(values).save(tmp_path / "deep.png", icc_profile=grey_profile(LINEAR))
    grey = read_image(tmp_path / "deep.png")[..., 0].ravel()
    linear = values.ravel() / 65535
    np.testing.assert_allclose(grey, 1.055 * linear ** (1 / 2.4) - 0.055, atol=0.003)
    assert len(np.unique(grey)) > 200  # 8 bits would have 6 levels here


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_cmyk_through_a_profile(tmp_path, suffix):
    inked = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    np.testing.assert_allclose(read_levels(tmp_path, inked, suffix, cmyk_profile()), (255, 0, 0), atol=6)
    np.testing.assert_allclose(read_levels(tmp_path, inked, suffix, None), (0, 255, 255), atol=6)


@pytest.mark.parametrize(
    "profile",
    [b"no profile", rgb_profile(DISPLAY_P3, SRGB_CURVE)[:200], bytes(500), grey_profile(LINEAR), cmyk_profile()],
    ids=["text", "cut short", "zeros", "grey", "inks"],
)
def test_a_profile_that_does_not_fit_is_ignored(tmp_path, profile):
    levels = read_levels(tmp_path, Image.new("RGB", (16, 16), (234, 51, 35)), "png", profile)
    assert tuple(levels) == (234, 51, 35)


def test_grey_may_have_a_profile_of_rgb(tmp_path):
    profile = rgb_profile(ADOBE_RGB, LINEAR)
    levels = read_levels(tmp_path, Image.new("L", (16, 16), 55), "png", profile)
    np.testing.assert_allclose(levels, 128, atol=1)


def test_srgb_under_its_own_profile_is_not_touched():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for profile in (srgb_profile(), rgb_profile([(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708),
                                                 (0.14307, 0.06061, 0.71410)], SRGB_CURVE)):  # fmt: skip
        np.testing.assert_array_equal(np.asarray(to_srgb(Image.fromarray(noise), profile)), noise)


def test_16_bits_under_another_profile_are_converted(tmp_path):
    """With 8 bits of the colours, while alpha keeps its depth."""
    image = np.full((8, 8, 3), np.array([234, 51, 35]) / 255, np.float32)
    write_picture(tmp_path / "deep.tif", image, bit_depth=16)
    data = (tmp_path / "deep.tif").read_bytes()
    profile = rgb_profile(DISPLAY_P3, SRGB_CURVE)
    assert len(profile) <= len(srgb_profile())
    assert data.count(srgb_profile()) == 1
    (tmp_path / "deep.tif").write_bytes(data.replace(srgb_profile(), profile.ljust(len(srgb_profile()), b"\0")))
    np.testing.assert_allclose(read_image(tmp_path / "deep.tif")[4, 4] * 255, (255, 0, 0), atol=3)


@pytest.mark.parametrize(
    ("suffix", "bit_depth"), [("png", 8), ("png", 16), ("tif", 8), ("tif", 16), ("jpg", 8), ("webp", 8)]
)
def test_results_carry_the_profile_of_srgb(tmp_path, content, suffix, bit_depth):
    path = tmp_path / f"result.{suffix}"
    write_picture(path, content, bit_depth=bit_depth)
    with Image.open(path) as picture:
        assert picture.info["icc_profile"] == srgb_profile()
