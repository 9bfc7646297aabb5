"""Every mode and format is read as it looks, what is written is read back, what is bad is refused in words."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from nst.errors import UserError
from nst.image_io import check_format, read_image, resize, resize_matrix, size_with_long_side, write_image

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
        ("RGBA", (0, 0, 0, 0), WHITE),
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
    picture.putpalette([0, 0, 0] * 3 + list(RED) + [0, 0, 0] * 252)
    assert colour(saved(tmp_path, picture, transparency=3)) == WHITE


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


def test_exif_orientation_is_obeyed(tmp_path):
    picture = Image.new("RGB", (6, 4), WHITE)
    picture.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned; the left column is the top row
    path = saved(tmp_path, picture, "turned.png", exif=exif)
    assert read_image(path).shape == (6, 4, 3)
    assert colour(path, 0, 3) == RED


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


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(UserError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff", "webp", "jpg", "jpeg", "PNG"])
def test_written_is_read_back(tmp_path, suffix, content):
    path = tmp_path / f"result.{suffix}"
    write_image(path, content)
    tolerance = 0.5 / 255 + 1e-6 if suffix.lower() in ("png", "tif", "tiff") else 0.06
    np.testing.assert_allclose(read_image(path), content, atol=tolerance)
    assert list(tmp_path.iterdir()) == [path]  # nothing left aside


def test_jpeg_keeps_colour_at_full_resolution(tmp_path, content):
    write_image(tmp_path / "result.jpg", content)
    with Image.open(tmp_path / "result.jpg") as picture:
        assert picture.layer[0][1:3] == picture.layer[1][1:3] == (1, 1)  # 4:4:4


def test_failed_write_keeps_the_old_file(tmp_path, content, monkeypatch):
    path = tmp_path / "result.png"
    path.write_bytes(b"old")

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        write_image(path, content)
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
