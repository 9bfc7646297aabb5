"""Odd files of every kind are read as other programs read them, or refused by name; made here, none is committed."""

import io
import struct
import sys
import types
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from nst.errors import UserError
from nst.pictures import decoding, formats
from nst.pictures.picture_files import read_image, read_picture

SIZE = (24, 32)
LEVELS = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
SMOOTH = np.stack([*np.meshgrid(np.linspace(10, 240, 32), np.linspace(20, 220, 24)), np.full(SIZE, 90)], axis=-1)
SMOOTH = np.rint(SMOOTH).astype(np.uint8)


def saved(path, levels=LEVELS, **options):
    Image.fromarray(levels).save(path, **options)
    return path


def difference(path, levels):
    """Return the greatest difference in levels of 255 of what is read and what is expected."""
    return np.abs(read_image(path) * 255 - np.asarray(levels, float)).max()


def png_chunks(path, *chunks):
    """Put chunks into a PNG before its pixels."""
    data = path.read_bytes()
    packed = b"".join(len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks)
    path.write_bytes(data[:33] + packed + data[33:])
    return path


XMP = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF
 xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/'
 tiff:Orientation='3'/></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif", "png"])
def test_an_orientation_in_xmp_alone_turns_nothing(tmp_path, suffix):
    path = tmp_path / f"xmp.{suffix}"
    if suffix == "png":
        png_chunks(saved(path, SMOOTH), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    elif suffix == "tif":
        tifffile.imwrite(path, SMOOTH, photometric="rgb", extratags=[(700, 1, len(XMP), XMP, True)])
    else:
        saved(path, SMOOTH, xmp=XMP, **({"lossless": True} if suffix == "webp" else {"quality": 100}))
    assert difference(path, SMOOTH) < 12


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"8BPS\0\1" + bytes(40), "a Photoshop"),
        (b"DDS |" + bytes(40), "a DDS texture"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<svg xmlns='x'></svg>", "an SVG"),
        (b"qoif" + bytes(20), "a QOI"),
        (b"\0\0\0\x18ftypisom" + bytes(20), "a video"),
        (b"MM\0\x2b\0\x08\0\0" + bytes(20), "a BigTIFF"),
    ],
)
def test_other_kinds_of_file_are_refused_by_name(tmp_path, head, kind):
    path = tmp_path / "odd.png"
    path.write_bytes(head)
    with pytest.raises(UserError, match=rf"is {kind}.*, which is not read; save it as a JPEG"):
        read_picture(path)


@pytest.mark.parametrize(
    ("name", "head", "package"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic" + bytes(20), "pillow-heif"),
        ("a.jxl", b"\xff\x0a" + bytes(20), "pillow-jxl-plugin"),
        ("a.nef", b"MM\0*" + bytes(20), "rawpy"),
    ],
)
def test_a_format_of_another_library_names_the_library(tmp_path, monkeypatch, name, head, package):
    for module in ("pillow_heif", "pillow_jxl", "rawpy"):
        monkeypatch.setitem(sys.modules, module, None)
    formats.load_plugin.cache_clear()
    formats.raw_reader.cache_clear()
    (tmp_path / name).write_bytes(head)
    with pytest.raises(UserError, match=f"to read it: pip install {package}"):
        read_picture(tmp_path / name)
    formats.load_plugin.cache_clear()
    formats.raw_reader.cache_clear()


def test_heic_is_read_where_its_library_is_installed(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.fromarray(SMOOTH)).save(tmp_path / "a.heic", quality=-1)
    assert difference(tmp_path / "a.heic", SMOOTH) < 12


def test_jpeg_xl_is_read_where_its_library_is_installed(tmp_path):
    pytest.importorskip("pillow_jxl")
    saved(tmp_path / "a.jxl", SMOOTH, lossless=True)
    assert difference(tmp_path / "a.jxl", SMOOTH) <= 1


def test_a_raw_file_is_developed_where_its_library_is_installed(tmp_path, monkeypatch):
    class Raw:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def postprocess(self, **options):
            assert options == {"use_camera_wb": True, "output_bps": 16}
            return LEVELS.astype(np.uint16) * 257

    monkeypatch.setattr(decoding, "raw_reader", lambda: types.SimpleNamespace(imread=lambda file: Raw()))
    (tmp_path / "a.NEF").write_bytes(b"raw")
    assert difference(tmp_path / "a.NEF", LEVELS) < 0.01


def test_a_thumbnail_in_front_is_passed_over(tmp_path):
    path = tmp_path / "thumb.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(LEVELS[::4, ::4], photometric="rgb", subfiletype=1)
        file.write(LEVELS, photometric="rgb")
    assert difference(path, LEVELS) == 0
    deep = tmp_path / "deep.tif"
    with tifffile.TiffWriter(deep) as file:
        file.write(LEVELS[::4, ::4].astype(np.uint16), photometric="rgb", subfiletype=1)
        file.write(LEVELS.astype(np.uint16) * 256 + 3, photometric="rgb")
    np.testing.assert_allclose(read_image(deep), (LEVELS.astype(float) * 256 + 3) / 65535, atol=1e-5)


def test_a_thumbnail_alone_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "thumb.tif", LEVELS, photometric="rgb", subfiletype=1)
    with pytest.raises(UserError, match="a TIFF with a reduced copy of its picture alone"):
        read_picture(tmp_path / "thumb.tif")


def test_of_several_pages_the_first_is_read_and_told(tmp_path):
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        file.write(LEVELS, photometric="rgb")
        file.write(LEVELS[:4], photometric="rgb")
    picture = read_picture(tmp_path / "pages.tif")
    assert picture.image.shape[:2] == SIZE
    assert picture.notes == (f"{tmp_path / 'pages.tif'}: has 2 pages; page 1 is read",)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_says_which_frame_is_read(tmp_path, suffix):
    path = tmp_path / f"moving.{suffix}"
    frames = [Image.fromarray(np.full((*SIZE, 3), level, np.uint8)) for level in (40, 90, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_picture(path).notes == (f"{path}: is animated; its first frame of 3 is read",)


def test_tiff_of_16_bit_cmyk_in_planes_is_refused(tmp_path):
    levels = np.zeros((4, *SIZE), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="separated", planarconfig="separate")
    with pytest.raises(UserError, match="CMYK of 16 bits in planes"):
        read_picture(tmp_path / "a.tif")


def test_a_color_map_of_8_bits_is_read_as_it_is_meant(tmp_path):
    indices = np.arange(24 * 32).reshape(24, 32).astype(np.uint8)
    table = np.random.default_rng(1).integers(0, 256, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=table)
    assert difference(tmp_path / "a.tif", table[:, indices].transpose(1, 2, 0)) == 0


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (np.zeros((*SIZE, 3), np.float64), "RGB in floating-point numbers of 64 bits"),
        (np.zeros((*SIZE, 3), np.int32), "RGB in signed integers of 32 bits"),
    ],
)
def test_a_tiff_that_is_not_read_is_refused_by_what_it_holds(tmp_path, levels, words):
    tifffile.imwrite(tmp_path / "a.tif", levels, photometric="rgb")
    with pytest.raises(UserError, match=f"is a TIFF of {words}, which is not read"):
        read_picture(tmp_path / "a.tif")


def test_rle4_of_bmp_is_refused(tmp_path):
    header = struct.pack("<IiiHHIIiiII", 40, 4, 1, 1, 4, 2, 4, 0, 0, 16, 0)
    data = bytes(64) + b"\4\0\0\1"
    head = b"BM" + struct.pack("<IHHI", 14 + 40 + len(data), 0, 0, 14 + 40 + 64)
    (tmp_path / "a.bmp").write_bytes(head + header + data)
    with pytest.raises(UserError, match="a BMP with RLE4 compression"):
        read_picture(tmp_path / "a.bmp")


def swapped_profile():
    """Return the profile of sRGB in which red and green are swapped."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def test_the_profile_in_a_bmp_is_obeyed(tmp_path):
    path, profile = tmp_path / "a.bmp", swapped_profile()
    pixels = np.ascontiguousarray(SMOOTH[::-1, :, ::-1]).tobytes()
    header = struct.pack("<IiiHHIIiiII", 124, 32, 24, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16) + b"DEBM"
    header += bytes(36 + 12) + struct.pack("<IIII", 4, 124 + len(pixels), len(profile), 0)
    assert len(header) == 124
    start = 14 + 124
    path.write_bytes(
        b"BM" + struct.pack("<IHHI", start + len(pixels) + len(profile), 0, 0, start) + header + pixels + profile
    )
    assert difference(path, SMOOTH[..., [1, 0, 2]]) <= 3


def test_the_gamma_of_a_png_is_obeyed(tmp_path):
    path = png_chunks(saved(tmp_path / "a.png", SMOOTH), (b"gAMA", (100000).to_bytes(4, "big")))
    light = SMOOTH / 255
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert difference(path, expected) < 0.01


def test_the_primaries_of_a_png_are_obeyed(tmp_path):
    """Against the colour engine, with a profile of the same primaries."""
    points = (0.3127, 0.3290, 0.21, 0.71, 0.64, 0.33, 0.15, 0.06)  # red and green swapped, of Adobe RGB
    chunk = b"".join(round(value * 100000).to_bytes(4, "big") for value in points)
    path = saved(tmp_path / "a.png", SMOOTH)
    png_chunks(path, (b"gAMA", (45455).to_bytes(4, "big")), (b"cHRM", chunk))
    other = saved(tmp_path / "b.png", np.ascontiguousarray(SMOOTH[..., [1, 0, 2]]))
    points = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    chunk = b"".join(round(value * 100000).to_bytes(4, "big") for value in points)
    png_chunks(other, (b"gAMA", (45455).to_bytes(4, "big")), (b"cHRM", chunk))
    np.testing.assert_allclose(read_image(path), read_image(other), atol=1e-5)
    assert difference(path, SMOOTH[..., [1, 0, 2]]) > 20


def test_the_usual_gamma_and_a_mark_of_srgb_change_nothing(tmp_path):
    usual = png_chunks(saved(tmp_path / "a.png"), (b"gAMA", (45455).to_bytes(4, "big")))
    marked = png_chunks(saved(tmp_path / "b.png"), (b"gAMA", (100000).to_bytes(4, "big")), (b"sRGB", b"\0"))
    assert difference(usual, LEVELS) == difference(marked, LEVELS) == 0


def test_adobe_rgb_told_by_exif_alone_is_converted(tmp_path):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    grey = np.full((*SIZE, 3), 128, np.uint8)
    green = np.full((*SIZE, 3), (60, 200, 60), np.uint8)
    for levels, wanted in ((grey, (128, 128, 128)), (green, (0, 201, 37))):
        path = saved(tmp_path / "a.jpg", levels, exif=exif, quality=100)
        np.testing.assert_allclose(read_image(path)[3, 3] * 255, wanted, atol=4)


@pytest.mark.parametrize(("number", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_told(tmp_path, number, name):
    path = png_chunks(saved(tmp_path / "a.png"), (b"cICP", bytes([9, number, 0, 1])))
    assert any(f"is in HDR ({name})" in note for note in read_picture(path).notes)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_is_read_and_told(tmp_path, progressive):
    path = saved(tmp_path / "a.jpg", LEVELS.repeat(4, 0).repeat(4, 1), quality=90, progressive=progressive)
    whole, expected = path.read_bytes(), read_image(path)
    path.write_bytes(whole[:-2])
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.image, expected)
    assert picture.notes == (f"{path}: lacks its last bytes, but no pixel; read as it is",)
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(UserError, match="rows of pixels are missing"):
        read_picture(path)


def test_what_does_not_fit_the_memory_is_refused_before_its_pixels_are_read(tmp_path, memory):
    memory(3)
    path = saved(tmp_path / "a.png", LEVELS.repeat(16, 0).repeat(16, 1))
    with pytest.raises(UserError, match=r"512x384 px take about 6 MB to read, of 3 MB there; give a smaller picture"):
        read_picture(path)
    photo = saved(tmp_path / "a.jpg", LEVELS.repeat(16, 0).repeat(16, 1))
    picture = read_picture(photo)
    assert picture.image.shape == (192, 256, 3)
    assert picture.notes == (f"{photo}: is read at 256x192 px, to save memory",)
    with pytest.raises(UserError, match="raise --max-memory"):
        read_picture(path, most_mb=5)


def test_a_picture_of_many_pixels_in_few_bytes_is_refused_at_once(tmp_path):
    path = tmp_path / "a.gif"
    Image.new("P", (16, 16)).save(path)
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", 30000, 30000)
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match=r"is absurdly large, 30000x30000 px in \d+ bytes"):
        read_picture(path)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        *((suffix, {}) for suffix in ("png", "tif", "bmp", "ppm", "tga", "gif")),
        ("webp", {"lossless": True}),
        ("jp2", {"irreversible": False}),
        ("avif", {"quality": 100, "subsampling": "4:4:4"}),
        ("jpg", {"quality": 95}),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_each_format_is_read_as_another_reader_reads_it(tmp_path, suffix, options, channels):
    codecs = pytest.importorskip("imagecodecs", reason="imagecodecs, the other reader, is not installed")
    levels = {1: SMOOTH[..., 0], 3: SMOOTH, 4: np.dstack([SMOOTH, np.full(SIZE, 255, np.uint8)])}[channels]
    path, buffer = tmp_path / f"a.{suffix}", io.BytesIO()
    try:
        Image.fromarray(levels).save(buffer, Image.registered_extensions()[f".{suffix}"], **options)
    except OSError:
        pytest.skip(f"Pillow writes no {suffix} of {channels} channels")
    path.write_bytes(buffer.getvalue())
    alone = suffix in ("ppm", "tga") or (suffix, channels) == ("bmp", 4)  # The other reader takes none of these.
    expected = np.squeeze(levels if alone else codecs.imread(str(path)))
    expected = np.repeat(expected[..., None], 3, axis=-1) if expected.ndim == 2 else expected[..., :3]
    assert difference(path, expected) <= (3 if suffix in ("avif", "jpg") else 1)
