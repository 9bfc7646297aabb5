"""Every mode and format is read as it looks, what is written is read back, what is bad is refused in words."""

import io
import json
import os
import zlib

import numpy as np
import png
import pytest
import tifffile
from PIL import Image, ImageOps
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

from nst.errors import UserError
from nst.pictures.picture_files import check_format, read_comment, read_image, read_picture, write_picture
from nst.pictures.resizing import resize, resize_matrix, size_with_long_side

RED, GREY, WHITE = (255, 0, 0), (128, 128, 128), (255, 255, 255)


def saved(tmp_path, picture, name="picture.png", **options):
    path = tmp_path / name
    picture.save(path, **options)
    return path


def colour(path, row=2, column=2):
    return tuple(np.rint(read_image(path)[row, column] * 255).astype(int))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp", "gif"])
def test_formats_are_read(tmp_path, suffix):
    path = saved(tmp_path, Image.new("RGB", (6, 5), RED), f"red.{suffix}")
    image = read_image(path)
    assert image.shape == (5, 6, 3)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image[2, 2], [1, 0, 0], atol=0.03)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 128, GREY),
        ("1", 1, WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (0, 0, 0, 1), (254, 254, 254)),
        ("RGBA", (255, 0, 0, 127), (255, 128, 128)),
        ("LA", (0, 127), GREY),
        ("LA", (128, 255), GREY),
    ],
)
def test_modes_are_read_as_they_look(tmp_path, mode, value, expected):
    assert colour(saved(tmp_path, Image.new(mode, (6, 5), value))) == expected


def test_palette_is_read_by_colour_not_by_index(tmp_path):
    picture = Image.new("P", (6, 5), 3)
    picture.putpalette([0, 0, 0] * 3 + list(RED) + [0, 0, 0] * 252)
    assert colour(saved(tmp_path, picture)) == RED


def test_transparent_palette_entry_is_white(tmp_path):
    picture = Image.new("P", (6, 5), 3)
    picture.putpixel((0, 0), 4)
    picture.putpalette([0, 0, 0] * 3 + list(RED) + [0, 0, 0] * 252)
    path = saved(tmp_path, picture, transparency=3)
    assert colour(path) == WHITE
    assert colour(path, 0, 0) == (0, 0, 0)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_read_as_colours(tmp_path, suffix):
    path = saved(tmp_path, Image.new("CMYK", (16, 16), (0, 255, 255, 0)), f"red.{suffix}")
    np.testing.assert_allclose(read_image(path)[8, 8], [1, 0, 0], atol=0.03)


def test_lab_is_read_as_colours(tmp_path):
    path = saved(tmp_path, Image.new("LAB", (6, 5), (137, 128, 128)), "grey.tif")
    grey = read_image(path)[2, 2]
    np.testing.assert_allclose(grey, grey.mean(), atol=0.02)
    assert 0.45 < grey.mean() < 0.55


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_keeps_its_range(tmp_path, suffix):
    values = np.array([[0, 32768, 65535]] * 2, np.uint16)
    path = saved(tmp_path, Image.fromarray(values), f"deep.{suffix}")
    np.testing.assert_allclose(read_image(path)[0, :, 1], [0, 32768 / 65535, 1], atol=1e-6)


def test_float_grey_within_0_and_1_is_read_and_beyond_is_refused(tmp_path):
    assert colour(saved(tmp_path, Image.new("F", (6, 5), 0.5), "half.tif")) in [(127,) * 3, (128,) * 3]
    with pytest.raises(UserError, match="grey values outside"):
        read_image(saved(tmp_path, Image.new("F", (6, 5), 300.0), "far.tif"))


def test_16_bit_grey_that_counts_from_white(tmp_path):
    tifffile.imwrite(tmp_path / "white.tif", np.full((5, 6), 6553, np.uint16), photometric="miniswhite")
    np.testing.assert_allclose(read_image(tmp_path / "white.tif"), 0.9, atol=1e-4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_is_obeyed(tmp_path, suffix, mode, orientation):
    random = np.random.default_rng(0)
    deep = mode == "I;16"
    levels = random.integers(0, 65536 if deep else 256, (4, 6) if deep else (4, 6, 3), np.uint16 if deep else np.uint8)
    picture = Image.fromarray(levels) if deep else Image.fromarray(levels).convert(mode)
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    path = saved(tmp_path, picture, f"turned.{suffix}", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(saved(tmp_path, picture, "upright.png", exif=exif)))
    upright.info.pop("exif", None)
    expected = read_image(saved(tmp_path, upright, "expected.png"))
    assert expected.shape == ((4, 6, 3) if orientation < 5 else (6, 4, 3))
    np.testing.assert_array_equal(read_image(path), expected)
    assert read_picture(path).exif is None


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_turned_upright(tmp_path, suffix):
    exif, samples = Image.Exif(), samples_of_16_bits(3)
    exif[Base.Orientation] = 6  # the left column is the top row
    write_picture(tmp_path / f"deep.{suffix}", samples / 65535, bit_depth=16, exif=exif.tobytes())
    assert_samples_are_read(tmp_path / f"deep.{suffix}", np.rot90(samples, -1))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_grey_of_a_png_is_transparent(tmp_path, bits):
    most = 2**bits - 1
    with (tmp_path / "grey.png").open("wb") as file:
        png.Writer(4, 2, greyscale=True, bitdepth=bits, transparent=1).write(file, [[0, 1, most, 1]] * 2)
    picture = read_picture(tmp_path / "grey.png")
    np.testing.assert_array_equal(picture.alpha[0], [1, 0, float(bits > 1), 0])
    assert (picture.image[0, 0] == 0).all()


def test_one_colour_of_a_16_bit_png_is_transparent(tmp_path):
    row = [1000, 2000, 3000, 1000, 2000, 3001, 0, 65535, 0]
    with (tmp_path / "deep.png").open("wb") as file:
        png.Writer(3, 1, greyscale=False, bitdepth=16, transparent=(1000, 2000, 3000)).write(file, [row])
    picture = read_picture(tmp_path / "deep.png")
    np.testing.assert_array_equal(picture.alpha, [[0, 1, 1]])
    np.testing.assert_allclose(picture.image[0, 1] * 65535, [1000, 2000, 3001], atol=0.01)


def samples_of_16_bits(channels):
    return np.random.default_rng(5).integers(256, 65536, (21, 30, channels), np.uint16)


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_of_16_bits_is_read_at_full_depth(tmp_path, channels, interlace):
    samples = samples_of_16_bits(channels)
    writer = png.Writer(30, 21, greyscale=False, alpha=channels == 4, bitdepth=16, interlace=interlace)
    with (tmp_path / "deep.png").open("wb") as file:
        writer.write_array(file, samples.ravel().tolist())
    assert_samples_are_read(tmp_path / "deep.png", samples)


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


def assert_samples_are_read(path, samples, tolerance=0.01):
    picture = read_picture(path)
    np.testing.assert_allclose(picture.image * 65535, samples[..., :3], atol=tolerance)
    if samples.shape[-1] == 4:
        np.testing.assert_allclose(picture.alpha * 65535, samples[..., 3], atol=tolerance)


@pytest.mark.parametrize(("compression", "mode"), [(None, "RGB"), ("zlib", "RGB"), ("zlib", "RGBA"), (None, "RGBA")])
@pytest.mark.parametrize("arrangement", [{"planarconfig": "separate"}, {"tile": (16, 32)}], ids=["planes", "tiles"])
def test_tiff_of_8_bits_in_planes_and_tiles(tmp_path, compression, mode, arrangement):
    levels = np.random.default_rng(5).integers(1, 256, (21, 30, len(mode)), np.uint8)
    arranged = np.moveaxis(levels, -1, 0) if "planarconfig" in arrangement else levels
    extra = {"extrasamples": ["unassalpha"]} if mode == "RGBA" else {}
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, arranged, photometric="rgb", compression=compression, **arrangement, **extra)
    np.testing.assert_allclose(read_picture(path).image * 255, levels[..., :3], atol=0.01)


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (6, 5), RED), Image.new("RGB", (6, 5), WHITE)]
    assert colour(saved(tmp_path, frames[0], "moving.gif", save_all=True, append_images=frames[1:])) == RED


def png_header(width, height):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\0\0\0") + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def jpeg_bytes():
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.jpg", b"", "is empty"),
        ("text.png", b"no picture at all", "is not a picture"),
        ("cut.jpg", jpeg_bytes()[:800], "damaged or cut short"),
        ("flat.png", png_header(0, 5), "cannot be read|no pixels|not a picture"),
        ("bomb.png", png_header(30000, 30000), "absurdly large"),
        ("large.png", png_header(10000, 10000), "absurdly large"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match=message) as error:
        read_image(path)
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_a_picture_that_shows_nothing_is_refused(tmp_path):
    path = saved(tmp_path, Image.new("RGBA", (6, 5), (255, 0, 0, 0)))
    with pytest.raises(UserError, match="transparent everywhere; give a picture"):
        read_picture(path)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match="no ordinary file"):
        read_image(tmp_path / "pipe.png")


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(UserError, match="is a folder"):
        read_image(tmp_path)


def noise(channels):
    return np.random.default_rng(2).random((23, 34, channels), np.float32)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "webp", "jpg", "jpeg", "PNG"])
def test_written_is_read_back(tmp_path, suffix, content):
    path = tmp_path / f"result.{suffix}"
    write_picture(path, content)
    tolerance = 0.5 / 255 + 1e-6 if suffix.lower() in ("png", "tif", "tiff") else 0.06
    picture = read_picture(path)
    np.testing.assert_allclose(picture.image, content, atol=tolerance)
    assert picture.alpha is picture.dpi is picture.exif is read_comment(path) is None
    assert list(tmp_path.iterdir()) == [path]  # nothing left aside


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_written_with_alpha_is_read_back(tmp_path, suffix, bit_depth):
    image, alpha = noise(3), noise(1)[..., 0] * 0.9 + 0.1
    path = tmp_path / f"result.{suffix}"
    write_picture(path, image, alpha=alpha, bit_depth=bit_depth)
    picture = read_picture(path)
    half_a_step = 0.5 / (2**bit_depth - 1) + 1e-7
    np.testing.assert_allclose(picture.image, image, atol=half_a_step)
    np.testing.assert_allclose(picture.alpha, alpha, atol=half_a_step)


def test_webp_keeps_alpha(tmp_path, content):
    alpha = np.full(content.shape[:2], 1, np.float32)
    alpha[:, :20] = 0.4
    write_picture(tmp_path / "result.webp", content, alpha=alpha)
    picture = read_picture(tmp_path / "result.webp")
    np.testing.assert_allclose(picture.alpha, alpha, atol=0.01)
    np.testing.assert_allclose(picture.image, content, atol=0.08)


def test_jpeg_shows_alpha_over_white(tmp_path, content):
    alpha = np.zeros(content.shape[:2], np.float32)
    alpha[:, 24:] = 1
    write_picture(tmp_path / "result.jpg", content, alpha=alpha)
    image = read_image(tmp_path / "result.jpg")
    np.testing.assert_allclose(image[:, :16], 1, atol=0.02)
    np.testing.assert_allclose(image[:, 32:], content[:, 32:], atol=0.06)


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


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_16_bits_are_refused_before_the_work(tmp_path, suffix):
    with pytest.raises(UserError, match=r"holds 8 bits a channel, not 16; use \.png or \.tif"):
        check_format(tmp_path / f"a.{suffix}", bit_depth=16)
    with pytest.raises(UserError, match="12 bits"):
        check_format(tmp_path / "a.png", bit_depth=12)


WRITTEN = [("png", 8), ("png", 16), ("tif", 8), ("tif", 16), ("webp", 8), ("jpg", 8)]


@pytest.mark.parametrize("comment", ["{}", json.dumps({"a": "Käse ✓ 漆 🎨"}, ensure_ascii=False), "ü" * 40_000])
@pytest.mark.parametrize(("suffix", "bit_depth"), WRITTEN)
def test_comments_are_read_back(tmp_path, content, suffix, bit_depth, comment):
    path = tmp_path / f"result.{suffix}"
    write_picture(path, content, bit_depth=bit_depth, comment=comment)
    assert read_comment(path) == comment
    np.testing.assert_allclose(read_image(path), content, atol=0.06)


def test_comments_of_other_formats_are_none(tmp_path):
    assert read_comment(saved(tmp_path, Image.new("RGB", (6, 5)), "plain.bmp")) is None


def camera_exif():
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Artist] = "Camera", "One", "José Ñandú".encode()
    exif[Base.Copyright], exif[Base.Orientation] = "CC BY", 6
    exif[IFD.GPSInfo] = {1: "N", 2: (48.0, 8.0, 14.0)}
    exif[IFD.Exif] = {
        Base.DateTimeOriginal: "2021:06:01 12:00:00",
        Base.FNumber: IFDRational(28, 10),
        Base.MakerNote: b"maker's secret" * 9,
        Base.BodySerialNumber: "serial 1234",
    }
    return exif


@pytest.mark.parametrize("source", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize(("suffix", "bit_depth"), WRITTEN)
def test_resolution_and_exif_go_from_picture_to_result(tmp_path, content, source, suffix, bit_depth):
    given = saved(
        tmp_path, Image.new("RGB", (6, 4), RED), f"photo.{source}", exif=camera_exif().tobytes(), dpi=(300, 150)
    )
    picture = read_picture(given)
    result = tmp_path / f"result.{suffix}"
    options = {"dpi": picture.dpi or (300, 150), "exif": picture.exif, "comment": '{"é": 1}'}
    write_picture(result, content, bit_depth=bit_depth, **options)
    assert picture.image.shape == (6, 4, 3)
    np.testing.assert_allclose(read_picture(result).dpi, (300, 150), atol=0.02)
    assert read_comment(result) == '{"é": 1}'
    with Image.open(result) as opened:
        exif = opened.getexif()
        assert exif[Base.Model] == "One"
        if source != "tif":  # Pillow, which writes it here, has ASCII only
            assert exif[Base.Artist].encode("latin-1").decode() == "José Ñandú"
        assert exif[Base.Copyright] == "CC BY"
        assert exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] == "2021:06:01 12:00:00"
        assert exif.get_ifd(IFD.Exif)[Base.FNumber] == pytest.approx(2.8)
        assert Base.Orientation not in exif
        assert not exif.get_ifd(IFD.GPSInfo)
    assert not any(secret in result.read_bytes() for secret in (b"secret", b"1234"))


@pytest.mark.parametrize("source", ["jpg", "png", "tif"])
def test_resolution_is_read(tmp_path, source):
    given = saved(tmp_path, Image.new("RGB", (6, 4), RED), f"photo.{source}", dpi=(300, 150))
    np.testing.assert_allclose(read_picture(given).dpi, (300, 150), atol=0.02)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", bytes(40)])
def test_damaged_exif_does_not_spoil_the_picture(tmp_path, exif):
    path = saved(tmp_path, Image.new("RGB", (6, 4), RED), "photo.jpg", exif=exif)
    assert read_picture(path).exif is None
    assert read_image(path).shape == (4, 6, 3)


def test_jpeg_keeps_colour_at_full_resolution(tmp_path, content):
    write_picture(tmp_path / "result.jpg", content)
    with Image.open(tmp_path / "result.jpg") as picture:
        assert picture.layer[0][1:3] == picture.layer[1][1:3] == (1, 1)  # 4:4:4


def test_failed_write_keeps_the_old_file(tmp_path, content, monkeypatch):
    path = tmp_path / "result.png"
    path.write_bytes(b"old")

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        write_picture(path, content)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"), [("a.jgp", "did you mean .jpg"), ("a", "without suffix"), ("a.gif", "cannot write .gif")]
)
def test_unknown_suffix_is_refused(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        check_format(tmp_path / name)


def test_size_beyond_the_format_is_refused(tmp_path):
    check_format(tmp_path / "a.png", (100, 20000))
    with pytest.raises(UserError, match="at most 16383 px"):
        check_format(tmp_path / "a.webp", (100, 20000))


def test_resize_keeps_flat_pictures_and_range(content):
    np.testing.assert_allclose(resize(np.full((40, 30, 3), 0.3, np.float32), (17, 11)), 0.3, atol=1e-6)
    small = resize(content, (13, 19))
    assert small.shape == (13, 19, 3)
    assert small.min() >= 0
    assert small.max() <= 1
    assert resize(content, content.shape[:2]) is content


def test_resize_matrices_do_what_resize_does(content):
    rows, columns = resize_matrix(40, 20), resize_matrix(56, 28)
    product = np.einsum("ah,hwc,bw->abc", rows, content, columns)
    np.testing.assert_allclose(product.clip(0, 1), resize(content, (20, 28)), atol=1e-5)


def test_long_side():
    assert size_with_long_side((600, 800), 512) == (384, 512)
    assert size_with_long_side((800, 600), 512) == (512, 384)
