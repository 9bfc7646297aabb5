"""Whatever a file holds, it is read as a picture of the right shape and range or refused in one line."""

import io
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from nst.errors import UserError
from nst.pictures.formats import FORMATS
from nst.pictures.picture_files import read_picture

MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"]
MODES += ["I", "F", "I;16", "I;16B", "I;16L"]
WIDTH, HEIGHT = 17, 13


def picture_of(mode):
    """Return a picture of noise in any mode."""
    random = np.random.default_rng(MODES.index(mode))
    if mode == "F":
        return Image.fromarray(random.random((HEIGHT, WIDTH), np.float32))
    bands = {"1": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 2}.get(mode, len(Image.new(mode, (1, 1)).getbands()))
    levels = random.integers(0, 256, (HEIGHT, WIDTH, bands), np.uint8)
    if mode == "I":
        return Image.fromarray(levels.view("<u2")[..., 0].astype(np.int32))
    if mode == "1":
        return Image.fromarray(levels[..., 0]).convert("1")
    return Image.frombytes(mode, (WIDTH, HEIGHT), levels.tobytes())


def encoded(picture, kind, **options):
    """Return the bytes of a file, or None where the format does not hold such pictures."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # formats on their way out of Pillow
        try:
            picture.save(buffer, kind, **options)
        except Exception:  # each writer refuses in its own way
            return None
    return buffer.getvalue()


def whole_files():
    """Return {name: bytes} of every mode in every format that Pillow writes, with options that make them odd."""
    Image.init()
    files = {}
    for kind in sorted(set(Image.SAVE) - {"PDF", "PALM"}):
        for mode in ["RGB"] if kind == "ICNS" else MODES:  # Pillow draws ten sizes for an ICNS, which is not read.
            files[f"{mode}.{kind}"] = encoded(picture_of(mode), kind)
    for mode in ("1", "L", "P", "RGB"):
        for kind in ("PNG", "GIF", "TIFF"):
            files[f"{mode}.transparent.{kind}"] = encoded(picture_of(mode), kind, transparency=3)
    compressed = dict.fromkeys(("packbits", "tiff_lzw", "tiff_adobe_deflate"), MODES)
    for compression, modes in (compressed | {"group3": "1", "group4": "1", "jpeg": ["L", "RGB", "CMYK"]}).items():
        for mode in modes:
            files[f"{mode}.{compression}"] = encoded(picture_of(mode), "TIFF", compression=compression)
    for kind in ("GIF", "PNG", "TIFF", "WEBP", "MPO"):
        frames = [picture_of("RGB").resize((5, 5)), picture_of("P").resize((15, 3))]
        files[f"frames.{kind}"] = encoded(picture_of("RGB"), kind, save_all=True, append_images=frames)
    for kind, options in {"JPEG": {"progressive": True}, "PNG": {"bits": 2}, "WEBP": {"lossless": True}}.items():
        files[f"options.{kind}"] = encoded(picture_of("P" if kind == "PNG" else "RGB"), kind, **options)
    return {name: data for name, data in files.items() if data}


def tiff_files():
    """Return {name: bytes} of TIFF files that Pillow itself does not write."""
    random, files = np.random.default_rng(9), {}
    for dtype in (np.uint8, np.uint16, np.int16, np.uint32, np.float32, np.float64):
        for channels in (1, 2, 3, 4, 5):
            for planes in ("contig", "separate"):
                samples = random.integers(0, 200, (HEIGHT, WIDTH, channels)).astype(dtype)
                arranged = samples if planes == "contig" else np.moveaxis(samples, -1, 0)
                photometric = "rgb" if channels > 2 else "minisblack"
                buffer = io.BytesIO()
                options = {"photometric": photometric, "planarconfig": planes if channels > 1 else None}
                tifffile.imwrite(buffer, arranged if channels > 1 else samples[..., 0], **options)
                files[f"{np.dtype(dtype)}.{channels}.{planes}"] = buffer.getvalue()
    return files


def spoilt(files, count):
    """Yield (name, bytes) of files cut short at random and files with a few bytes changed at random."""
    random, names = np.random.default_rng(11), sorted(files)
    for number in range(count):
        name = names[random.integers(len(names))]
        data = bytearray(files[name])
        if number % 2:
            del data[random.integers(1, len(data)) :]
        else:
            for place in random.integers(0, len(data), random.integers(1, 6)):
                data[place] = random.integers(256)
        yield f"{number} of {name}", bytes(data)


@pytest.fixture(scope="module")
def corpus():
    return whole_files() | tiff_files()


def outcome(path):
    """Return the picture's size, or None where it is refused, having checked that either is done well."""
    try:
        picture = read_picture(path)
    except UserError as error:
        assert len(str(error).splitlines()) == 1, error
        assert str(error).startswith(f"{path}: ")
        return None
    height, width, channels = picture.image.shape
    assert channels == 3
    assert picture.image.dtype == np.float32
    assert np.isfinite(picture.image).all()
    assert picture.image.min() >= 0
    assert picture.image.max() <= 1
    if picture.alpha is not None:
        assert picture.alpha.shape == (height, width)
        assert picture.alpha.dtype == np.float32
        assert 0 <= picture.alpha.min() < picture.alpha.max() <= 1 or 0 < picture.alpha.max() < 1
    return height, width


def test_every_mode_in_every_format(tmp_path, corpus):
    read = set()
    assert len(corpus) > 200
    for name, data in corpus.items():
        path = tmp_path / name.replace(";", "_")
        path.write_bytes(data)
        size = outcome(path)
        assert size in ((HEIGHT, WIDTH), None), name
        read |= {name} if size else set()
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "LAB", "F"):
        assert f"{mode}.TIFF" in read
    for kind in set(Image.SAVE) & set(FORMATS):
        assert any(f"{mode}.{kind}" in read for mode in ("RGB", "RGBA", "L", "P", "F")), kind


def test_spoilt_files_are_read_or_refused(tmp_path, corpus, capfd):
    outcomes = []
    for number, (name, data) in enumerate(spoilt(corpus, 600)):
        path = tmp_path / f"{number}"
        path.write_bytes(data)
        try:
            outcomes.append(outcome(path))
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error
    assert capfd.readouterr().err == ""  # nor does libtiff print
    assert 100 < outcomes.count(None) < 540


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_floats_that_are_no_grey_are_refused(tmp_path, value):
    Image.fromarray(np.full((5, 6), value, np.float32)).save(tmp_path / "float.tif")
    assert outcome(tmp_path / "float.tif") is None


def test_pillow_logs_nothing_beside_the_refusal(tmp_path, caplog):
    tifffile.imwrite(tmp_path / "many.tif", np.zeros((5, 6, 9), np.uint8), photometric="rgb", planarconfig="contig")
    assert outcome(tmp_path / "many.tif") is None
    assert caplog.records == []


@pytest.mark.parametrize("size", [2**20 + 1, 2**24])
def test_png_with_a_huge_text_is_refused(tmp_path, size):
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * size, zip=True)
    Image.new("RGB", (6, 5)).save(tmp_path / "text.png", pnginfo=text)
    assert outcome(tmp_path / "text.png") is None


def test_deflate_bomb_in_a_profile_is_harmless(tmp_path):
    png_bytes = encoded(Image.new("RGB", (6, 5)), "PNG")
    bomb = b"x\0\0" + zlib.compress(bytes(2**25), level=1)
    chunk = len(bomb).to_bytes(4, "big") + b"iCCP" + bomb + zlib.crc32(b"iCCP" + bomb).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(png_bytes[:33] + chunk + png_bytes[33:])
    assert outcome(tmp_path / "bomb.png") in (None, (5, 6))
