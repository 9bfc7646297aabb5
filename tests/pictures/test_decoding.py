"""Every mode and format is read as it looks, from a path or from bytes; bad files are refused in words."""

import io
import os
import struct
import zlib

import numpy as np
import png
import pytest
import tifffile
from PIL import Image, ImageOps
from PIL import __version__ as pillow_version
from PIL.ExifTags import Base

from nst.errors import UserError
from nst.pictures.picture_files import read_comment, read_image, read_picture, write_picture

RED, GREY, WHITE = (255, 0, 0), (128, 128, 128), (255, 255, 255)
WIDTH, HEIGHT = 17, 13


def color_at(path, row=2, column=2):
    return tuple(np.rint(read_image(path)[row, column] * 255).astype(int))


def png_header(width, height):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\0\0\0") + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


PILLOW = int(pillow_version.partition(".")[0])


def jpeg_bytes():
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("CMYK", (0, 0, 255, 0), (255, 255, 0)),
        ("RGBX", (10, 20, 30, 0), (10, 20, 30)),
        ("I", 32768, (128, 128, 128)),
        ("I;16B", 32768, (128, 128, 128)),
    ],
)
def test_modes_of_tiff_look_right(tmp_path, mode, value, expected):
    Image.new(mode, (6, 5), value).save(tmp_path / "odd.tif")
    if mode == "YCbCr" and PILLOW < 13:
        with pytest.raises(UserError, match="a TIFF of YCbCr without compression, as Pillow before 13 takes it"):
            read_picture(tmp_path / "odd.tif")
        return
    levels = np.rint(read_picture(tmp_path / "odd.tif").image[2, 2] * 255)
    np.testing.assert_allclose(levels, expected, atol=1)


def test_alpha_that_is_multiplied_in_is_taken_out(tmp_path):
    levels = np.full((5, 6, 4), (100, 50, 0, 128), np.uint8)
    tifffile.imwrite(tmp_path / "pre.tif", levels, photometric="rgb", extrasamples=["assocalpha"])
    picture = read_picture(tmp_path / "pre.tif")
    np.testing.assert_allclose(picture.image[2, 2] * 255, (199, 99, 0), atol=1.5)
    np.testing.assert_allclose(picture.alpha, 128 / 255)


def test_palette_with_alpha_by_entry(tmp_path):
    picture = Image.new("P", (6, 5), 1)
    picture.putpixel((0, 0), 2)
    picture.putpalette([0, 0, 0, 200, 100, 0, 1, 2, 3])
    picture.save(tmp_path / "p.png", transparency=bytes([255, 128, 0]))
    found = read_picture(tmp_path / "p.png")
    np.testing.assert_allclose(found.alpha[0, :2], (0, 128 / 255))
    np.testing.assert_allclose(found.image, np.broadcast_to(np.array([200, 100, 0]) / 255, (5, 6, 3)), atol=1e-6)


def test_half_transparent_grey_keeps_its_grey(tmp_path):
    Image.new("LA", (6, 5), (77, 128)).save(tmp_path / "la.png")
    picture = read_picture(tmp_path / "la.png")
    np.testing.assert_allclose(picture.image, 77 / 255, atol=1e-6)
    np.testing.assert_allclose(picture.alpha, 128 / 255)


def test_ppm_of_16_bits(tmp_path):
    (tmp_path / "deep.ppm").write_bytes(b"P6 1 1 65535\n" + struct.pack(">3H", 65535, 32768, 0))
    np.testing.assert_allclose(read_picture(tmp_path / "deep.ppm").image[0, 0], (1, 0.5, 0), atol=0.003)


def test_programs_are_not_started_for_postscript(tmp_path):
    Image.new("RGB", (6, 5)).save(tmp_path / "page.eps")
    with pytest.raises(UserError, match="is a PostScript file, which is not read"):
        read_picture(tmp_path / "page.eps")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "bmp", "gif"])
def test_formats_are_read(saved, suffix):
    path = saved(Image.new("RGB", (6, 5), RED), f"red.{suffix}")
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
def test_modes_are_read_as_they_look(saved, mode, value, expected):
    assert color_at(saved(Image.new(mode, (6, 5), value))) == expected


def test_palette_is_read_by_colour_not_by_index(saved):
    picture = Image.new("P", (6, 5), 3)
    picture.putpalette([0, 0, 0] * 3 + list(RED) + [0, 0, 0] * 252)
    assert color_at(saved(picture)) == RED


def test_transparent_palette_entry_is_white(saved):
    picture = Image.new("P", (6, 5), 3)
    picture.putpixel((0, 0), 4)
    picture.putpalette([0, 0, 0] * 3 + list(RED) + [0, 0, 0] * 252)
    path = saved(picture, transparency=3)
    assert color_at(path) == WHITE
    assert color_at(path, 0, 0) == (0, 0, 0)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_read_as_colours(saved, suffix):
    path = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), f"red.{suffix}")
    np.testing.assert_allclose(read_image(path)[8, 8], [1, 0, 0], atol=0.03)


def test_lab_is_read_as_colours(saved):
    path = saved(Image.new("LAB", (6, 5), (137, 128, 128)), "grey.tif")
    grey = read_image(path)[2, 2]
    np.testing.assert_allclose(grey, grey.mean(), atol=0.02)
    assert 0.45 < grey.mean() < 0.55


def test_float_grey_within_0_and_1_is_read_and_beyond_is_refused(saved):
    assert color_at(saved(Image.new("F", (6, 5), 0.5), "half.tif")) in [(127,) * 3, (128,) * 3]
    with pytest.raises(UserError, match="grey values outside"):
        read_image(saved(Image.new("F", (6, 5), 300.0), "far.tif"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_is_obeyed(saved, suffix, mode):
    random = np.random.default_rng(0)
    deep = mode == "I;16"
    levels = random.integers(0, 65536 if deep else 256, (4, 6) if deep else (4, 6, 3), np.uint16 if deep else np.uint8)
    picture = Image.fromarray(levels) if deep else Image.fromarray(levels).convert(mode)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[Base.Orientation] = orientation
        path = saved(picture, f"turned.{suffix}", exif=exif)
        with Image.open(saved(picture, "as_given.png", exif=exif)) as opened:
            upright = ImageOps.exif_transpose(opened)
        upright.info.pop("exif", None)
        expected = read_image(saved(upright, "expected.png"))
        assert expected.shape == ((4, 6, 3) if orientation < 5 else (6, 4, 3))
        np.testing.assert_array_equal(read_image(path), expected)
        assert read_picture(path).exif is None


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_grey_of_a_png_is_transparent(tmp_path, bits):
    most = 2**bits - 1
    with (tmp_path / "grey.png").open("wb") as file:
        png.Writer(4, 2, greyscale=True, bitdepth=bits, transparent=1).write(file, [[0, 1, most, 1]] * 2)
    picture = read_picture(tmp_path / "grey.png")
    np.testing.assert_array_equal(picture.alpha[0], [1, 0, float(bits > 1), 0])
    assert (picture.image[0, 0] == 0).all()


@pytest.mark.parametrize(("compression", "mode"), [(None, "RGB"), ("zlib", "RGB"), ("zlib", "RGBA"), (None, "RGBA")])
@pytest.mark.parametrize("arrangement", [{"planarconfig": "separate"}, {"tile": (16, 32)}], ids=["planes", "tiles"])
def test_tiff_of_8_bits_in_planes_and_tiles(tmp_path, compression, mode, arrangement):
    levels = np.random.default_rng(5).integers(1, 256, (21, 30, len(mode)), np.uint8)
    arranged = np.moveaxis(levels, -1, 0) if "planarconfig" in arrangement else levels
    extra = {"extrasamples": ["unassalpha"]} if mode == "RGBA" else {}
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, arranged, photometric="rgb", compression=compression, **arrangement, **extra)
    np.testing.assert_allclose(read_picture(path).image * 255, levels[..., :3], atol=0.01)


def test_first_frame_of_an_animation(saved):
    frames = [Image.new("RGB", (6, 5), RED), Image.new("RGB", (6, 5), WHITE)]
    assert color_at(saved(frames[0], "moving.gif", save_all=True, append_images=frames[1:])) == RED


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


def test_a_picture_that_shows_nothing_is_refused(saved):
    path = saved(Image.new("RGBA", (6, 5), (255, 0, 0, 0)))
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


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.webp", "deep.png", "deep.tif", "gone.gif"])
def test_bytes_are_read_as_their_file_is(tmp_path, name):
    path, exif = tmp_path / name, Image.Exif()
    exif[Base.Orientation], exif[Base.Model] = 6, "One"
    if path.suffix == ".gif":
        Image.new("P", (6, 5)).save(path, transparency=1)
    else:
        image = np.random.default_rng(4).random((HEIGHT, WIDTH, 3), np.float32)
        depth = 16 if path.stem == "deep" else 8
        write_picture(path, image, alpha=image[..., 0], bit_depth=depth, exif=exif.tobytes(), comment="{}")
    before, comment, image = read_picture(path), read_comment(path), read_image(path)
    payload = path.read_bytes()
    path.unlink()
    after = read_picture(path, payload)
    for one, other in ((after.image, before.image), (after.alpha, before.alpha), (read_image(path, payload), image)):
        np.testing.assert_array_equal(one, other)
    assert (after.dpi, after.exif, read_comment(path, payload)) == (before.dpi, before.exif, comment)


@pytest.mark.parametrize("payload", [b"", b"no picture", jpeg_bytes()[:800]])
def test_bytes_are_refused_in_the_words_for_their_file(tmp_path, payload):
    path = tmp_path / "a.jpg"
    path.write_bytes(payload)
    with pytest.raises(UserError) as of_file:
        read_picture(path)
    path.unlink()
    with pytest.raises(UserError) as of_payload:
        read_picture(path, payload)
    assert str(of_payload.value) == str(of_file.value)
    assert str(path) in str(of_file.value)
