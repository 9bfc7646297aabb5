"""Colours of 16 bits per channel are read and written at full depth."""

import numpy as np
import png
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import Base

from nst.pictures.picture_files import read_image, read_picture, write_picture


def noise(channels):
    return np.random.default_rng(2).random((23, 34, channels), np.float32)


def samples_of_16_bits(channels):
    return np.random.default_rng(5).integers(256, 65536, (21, 30, channels), np.uint16)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_keeps_its_range(saved, suffix):
    values = np.array([[0, 32768, 65535]] * 2, np.uint16)
    path = saved(Image.fromarray(values), f"deep.{suffix}")
    np.testing.assert_allclose(read_image(path)[0, :, 1], [0, 32768 / 65535, 1], atol=1e-6)


def test_16_bit_grey_that_counts_from_white(tmp_path):
    tifffile.imwrite(tmp_path / "white.tif", np.full((5, 6), 6553, np.uint16), photometric="miniswhite")
    np.testing.assert_allclose(read_image(tmp_path / "white.tif"), 0.9, atol=1e-4)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_turned_upright(tmp_path, suffix):
    exif, samples = Image.Exif(), samples_of_16_bits(3)
    exif[Base.Orientation] = 6  # the left column is the top row
    write_picture(tmp_path / f"deep.{suffix}", samples / 65535, bit_depth=16, exif=exif.tobytes())
    assert_samples_are_read(tmp_path / f"deep.{suffix}", np.rot90(samples, -1))


def test_one_colour_of_a_16_bit_png_is_transparent(tmp_path):
    row = [1000, 2000, 3000, 1000, 2000, 3001, 0, 65535, 0]
    with (tmp_path / "deep.png").open("wb") as file:
        png.Writer(3, 1, greyscale=False, bitdepth=16, transparent=(1000, 2000, 3000)).write(file, [row])
    picture = read_picture(tmp_path / "deep.png")
    np.testing.assert_array_equal(picture.alpha, [[0, 1, 1]])
    np.testing.assert_allclose(picture.image[0, 1] * 65535, [1000, 2000, 3001], atol=0.01)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_of_16_bits_is_read_at_full_depth(tmp_path, channels, interlace):
    samples = samples_of_16_bits(channels)
    writer = png.Writer(30, 21, greyscale=False, alpha=channels == 4, bitdepth=16, interlace=interlace)
    with (tmp_path / "deep.png").open("wb") as file:
        writer.write_array(file, samples.ravel().tolist())
    assert_samples_are_read(tmp_path / "deep.png", samples)


def assert_samples_are_read(path, samples, tolerance=0.01):
    picture = read_picture(path)
    np.testing.assert_allclose(picture.image * 65535, samples[..., :3], atol=tolerance)
    if samples.shape[-1] == 4:
        np.testing.assert_allclose(picture.alpha * 65535, samples[..., 3], atol=tolerance)


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=["plain", "deflate", "tiles"]
)
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_of_16_bits_is_read_at_full_depth(tmp_path, channels, byteorder, planes, options):
    samples = samples_of_16_bits(channels)
    arranged = samples if planes == "contig" else np.moveaxis(samples, -1, 0)
    options = options | ({"extrasamples": ["unassalpha"]} if channels == 4 else {})
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, arranged, photometric="rgb", byteorder=byteorder, planarconfig=planes, **options)
    pillow_takes_one_byte = planes == "separate" and "compression" in options
    assert_samples_are_read(path, samples, tolerance=256 if pillow_takes_one_byte else 0.01)


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_are_what_other_readers_read(tmp_path, channels):
    values = noise(channels)
    alpha = values[..., 3] if channels == 4 else None
    for suffix in ("png", "tif"):
        path = tmp_path / f"deep.{suffix}"
        write_picture(path, values[..., :3], alpha=alpha, bit_depth=16, comment="{}", dpi=(300, 300))
    width, height, rows, info = png.Reader(bytes=(tmp_path / "deep.png").read_bytes()).read()
    assert info["bitdepth"] == 16
    levels = np.vstack(list(rows)).reshape(height, width, channels)
    np.testing.assert_array_equal(levels, np.rint(values * 65535))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "deep.tif"), levels)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_large_and_narrow_pictures_of_16_bits(tmp_path, suffix):
    """More rows than a strip of TIFF holds, more bytes than a chunk of PNG; and a single pixel."""
    for size in ((900, 300), (1, 1), (1, 70), (70, 1)):
        image = np.random.default_rng(3).random((*size, 3), np.float32)
        write_picture(tmp_path / f"deep.{suffix}", image, bit_depth=16)
        np.testing.assert_allclose(read_image(tmp_path / f"deep.{suffix}"), image, atol=1e-5)
