"""The formats of picture files: which are read, which are read with another library, and the names of all others."""

from __future__ import annotations

import functools
import importlib
import io
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from nst.errors import UserError

# The formats that are read, a part of those that Pillow knows: each is checked against another reader. Pillow gives
# EPS files to Ghostscript, another program, and reads rare formats wrongly or takes them for one another.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000", "BMP", "PPM", "TGA")
USUAL_FORMATS = "JPEG, PNG, WebP, TIFF, BMP or GIF"  # The formats that errors advise.
# Libraries that teach Pillow a format: the format -> the module, and the package.
PLUGINS = {"HEIF": ("pillow_heif", "pillow-heif"), "JXL": ("pillow_jxl", "pillow-jxl-plugin")}
PLUGIN_SUFFIXES = {".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF", ".jxl": "JXL"}
RAW_SUFFIXES = frozenset(
    f".{s}"
    for s in [
        "nef",
        "dng",
        "cr2",
        "cr3",
        "arw",
        "orf",
        "rw2",
        "raf",
        "pef",
        "srw",
        "nrw",
        "raw",
        "sr2",
        "3fr",
        "erf",
        "kdc",
        "mrw",
    ]
)
JPEG_SUFFIXES = frozenset([".jfif", ".jpe", ".jfi", ".mpo"])  # Of JPEGs, besides those that Pillow names.
TGA_SUFFIXES = frozenset([".tga", ".icb", ".vda", ".vst"])  # A TGA has no mark, and so anything might be taken for one.

HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ")
MARKS = (  # The first bytes of a file, and its kind.
    (b"8BPS", "a Photoshop (PSD) file"),
    (b"DDS ", "a DDS texture"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"qoif", "a QOI file"),
    (b"\x01\xda", "an SGI file"),
    (b"\x0a\x05\x01", "a PCX file"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an SVG drawing or other XML"),
    (b"gimp xcf", "a GIMP (XCF) file"),
    (b"v/1\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "a Radiance (HDR) file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"PK\x03\x04", "a ZIP archive"),
)
PHOTOMETRICS = {0: "grey", 1: "grey", 2: "RGB", 3: "a palette", 5: "CMYK", 6: "YCbCr", 8: "CIE Lab", 9: "ICC Lab",
                32803: "a camera's raw pixels", 34892: "a camera's raw pixels"}  # fmt: skip


@functools.cache
def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of the formats that are read, in lower case and with the dot."""
    Image.init()
    known = {suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS}
    plugins = {suffix for suffix, name in PLUGIN_SUFFIXES.items() if load_plugin(name)}
    return frozenset(known | plugins | JPEG_SUFFIXES | (RAW_SUFFIXES if raw_reader() else frozenset()))


def is_readable_name(path: Path) -> bool:
    """Return whether the suffix of a file is one of a format that is read."""
    return path.suffix.lower() in readable_suffixes()


def is_picture_name(path: Path) -> bool:
    """Return whether the suffix of a file is one of any kind of picture, read or not."""
    Image.init()
    others = {".psd", ".xcf", ".svg", ".exr", ".hdr"}
    suffix = path.suffix.lower()
    return is_readable_name(path) or suffix in Image.EXTENSION or suffix in {*PLUGIN_SUFFIXES, *RAW_SUFFIXES, *others}


@functools.cache
def load_plugin(name: str) -> bool:
    """Teach Pillow a format of PLUGINS; return whether the library for it is installed."""
    try:
        module = importlib.import_module(PLUGINS[name][0])
    except ImportError:
        return False
    if name == "HEIF":
        module.register_heif_opener()
    return True


@functools.cache
def raw_reader() -> object | None:
    """Return rawpy, which reads cameras' raw files, or None where it is not installed."""
    try:
        return importlib.import_module("rawpy")
    except ImportError:
        return None


def is_raw_name(path: Path) -> bool:
    """Return whether the suffix of a file is that of a camera's raw files."""
    return path.suffix.lower() in RAW_SUFFIXES


def formats_for(path: Path, head: bytes) -> list[str]:
    """Return the formats that a file may have, for Pillow. Raises UserError for a kind of file that is not read.

    head  the first bytes of the file
    """
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in HEIF_BRANDS and b"avif" not in head[:64]:
        return [_with_plugin(path, "HEIF")]
    if head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return [_with_plugin(path, "JXL")]
    if head.startswith(b"MM\x00\x2b"):
        raise refusal(path, "a BigTIFF in the order of bytes that Pillow does not know")
    kind = next((kind for mark, kind in MARKS if head.startswith(mark)), None)
    if brand in VIDEO_BRANDS:
        kind = "a video"
    if kind:
        raise refusal(path, kind)
    known = [name for name in FORMATS if name in Image.OPEN]
    return known if path.suffix.lower() in TGA_SUFFIXES else [name for name in known if name != "TGA"]


def refusal(path: Path, kind: str) -> UserError:
    """Return the error for a file of a kind that is not read."""
    return UserError(f"{path}: is {kind}, which is not read; save it as a {USUAL_FORMATS} file")


def unknown(path: Path, payload: bytes) -> UserError:
    """Return the error for a file that Pillow does not know, with its kind where that can be told."""
    if not payload:
        return UserError(f"{path}: is empty; give a {USUAL_FORMATS} file")
    if payload[:4] in (b"II*\0", b"MM\0*", b"II+\0"):
        return refusal(path, _tiff_kind(payload))
    if payload[4:12] in (b"ftypavif", b"ftypavis"):
        return refusal(path, "an AVIF of a kind that Pillow does not read")
    return UserError(f"{path}: is not a picture that Pillow knows; give a {USUAL_FORMATS} file")


def _with_plugin(path: Path, name: str) -> str:
    if not load_plugin(name):
        package, words = PLUGINS[name][1], {"HEIF": "a HEIC picture", "JXL": "a JPEG XL picture"}[name]
        raise UserError(f"{path}: is {words}; to read it: pip install {package}")
    return name


def _tiff_kind(payload: bytes) -> str:
    """Return the words for a TIFF that is not read: what its first picture holds."""
    try:
        directory = ImageFileDirectory_v2(payload[: 16 if payload[2:4] == b"+\0" else 8])
        file = io.BytesIO(payload)
        file.seek(directory.next)
        directory.load(file)
        bits, numbers = directory.get(258, (1,)), directory.get(339, (1,))
        kind = PHOTOMETRICS.get(directory.get(262, -1), "colours of an unknown kind")
        number = {2: "signed integers", 3: "floating-point numbers"}.get(numbers[0], "integers")
        return f"a TIFF of {kind} in {number} of {'/'.join(map(str, dict.fromkeys(bits)))} bits"
    except Exception:  # Pillow parses TIFF without checks.
        return "a TIFF that is damaged or of an unknown kind"
