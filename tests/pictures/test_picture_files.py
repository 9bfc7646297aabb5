"""What is written is read back, and a result that cannot be written is refused in words."""

import numpy as np
import pytest
from PIL import Image

from nst.errors import UserError
from nst.pictures.picture_files import check_format, read_comment, read_image, read_picture, write_picture


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


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_16_bits_are_refused_before_the_work(tmp_path, suffix):
    with pytest.raises(UserError, match=r"holds 8 bits a channel, not 16; use \.png or \.tif"):
        check_format(tmp_path / f"a.{suffix}", bit_depth=16)
    with pytest.raises(UserError, match="12 bits"):
        check_format(tmp_path / "a.png", bit_depth=12)


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
