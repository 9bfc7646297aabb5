"""Resolution, EXIF and the comment go from file to file, and private data does not."""

import json

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

from nst.pictures.picture_files import read_comment, read_image, read_picture, write_picture

RED = (255, 0, 0)
WRITTEN = [("png", 8), ("png", 16), ("tif", 8), ("tif", 16), ("webp", 8), ("jpg", 8)]


@pytest.mark.parametrize("comment", ["{}", json.dumps({"a": "Käse ✓ 漆 🎨"}, ensure_ascii=False), "ü" * 40_000])
@pytest.mark.parametrize(("suffix", "bit_depth"), WRITTEN)
def test_comments_are_read_back(tmp_path, content, suffix, bit_depth, comment):
    path = tmp_path / f"result.{suffix}"
    write_picture(path, content, bit_depth=bit_depth, comment=comment)
    assert read_comment(path) == comment
    np.testing.assert_allclose(read_image(path), content, atol=0.06)


def test_comments_of_other_formats_are_none(saved):
    assert read_comment(saved(Image.new("RGB", (6, 5)), "plain.bmp")) is None


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
def test_resolution_and_exif_go_from_picture_to_result(saved, tmp_path, content, source, suffix, bit_depth):
    given = saved(Image.new("RGB", (6, 4), RED), f"photo.{source}", exif=camera_exif().tobytes(), dpi=(300, 150))
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
def test_resolution_is_read(saved, source):
    given = saved(Image.new("RGB", (6, 4), RED), f"photo.{source}", dpi=(300, 150))
    np.testing.assert_allclose(read_picture(given).dpi, (300, 150), atol=0.02)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", bytes(40)])
def test_damaged_exif_does_not_spoil_the_picture(saved, exif):
    path = saved(Image.new("RGB", (6, 4), RED), "photo.jpg", exif=exif)
    assert read_picture(path).exif is None
    assert read_image(path).shape == (4, 6, 3)
