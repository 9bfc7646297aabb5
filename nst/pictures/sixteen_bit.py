"""Pictures of 16 bits per channel, which Pillow's RGB lacks: their lower bytes read, and PNG and TIFF written.

Samples are [height, width, channels], the channels RGB or RGBA.
"""

import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

BITS_PER_SAMPLE = 258  # A tag of TIFF.
LITTLE, BIG = "16L", "16B"  # Pillow's names for the two orders of bytes.
NATIVE = LITTLE if sys.byteorder == "little" else BIG
IDAT_BYTES = STRIP_BYTES = 2**18  # The bytes in a chunk of PNG after compression, in a strip of TIFF before it.


def decode_byte(picture: ImageFile, *, low: bool) -> bool:
    """Make Pillow decode the low or the high byte of a 16-bit RGB or RGBA picture that is opened, but not loaded.

    Returns False, and changes nothing, for other pictures. Pillow decodes the high byte; if the order of bytes is
    swapped in its arguments, Pillow decodes the low byte. Two cases of a TIFF with separate planes need care: planes
    without compression are taken for 8 bits unless the order is given; of compressed planes Pillow always decodes the
    high byte. High and low byte are then equal, and the colour has a depth of 8 bits.
    """
    tags = getattr(picture, "tag_v2", None)
    planes_order = {b"II": LITTLE, b"MM": BIG}.get(getattr(tags, "prefix", b""), "")
    if tags is None or set(tags.get(BITS_PER_SAMPLE, ())) != {16}:
        planes_order = ""
    tiles = []
    for tile in picture.tile:
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        channels, _, order = str(arguments[0]).partition(";")
        order = {"16N": NATIVE, "": planes_order}.get(order, order)
        if order not in (LITTLE, BIG) or channels not in ("RGB", "RGBA", "R", "G", "B", "A"):
            return False
        if low:
            order = BIG if order == LITTLE else LITTLE
        changed = (f"{channels};{order}", *arguments[1:])
        tiles.append(tile._replace(args=changed if isinstance(tile[3], tuple) else changed[0]))
    picture.tile[:] = tiles
    return bool(tiles)


def write_png(file: IO[bytes], samples: np.ndarray, chunks: list[tuple[bytes, bytes]]) -> None:
    """Write uint16 samples as a PNG, with further `chunks` (kind, data) before the pixels."""
    height, width, channels = samples.shape
    colour_type = {3: 2, 4: 6}[channels]
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, colour_type, 0, 0, 0])
    file.write(b"\x89PNG\r\n\x1a\n")
    for kind, data in [(b"IHDR", header), *chunks]:
        file.write(_chunk(kind, data))
    for data in _deflated(_filtered(samples)):
        file.write(_chunk(b"IDAT", data))
    file.write(_chunk(b"IEND", b""))


def write_tiff(file: IO[bytes], samples: np.ndarray, tags: Mapping[int, Any]) -> None:
    """Write uint8 or uint16 samples as a TIFF, with further `tags`. Strips of differences along rows are deflated."""
    height, width, channels = samples.shape
    rows = min(height, max(1, STRIP_BYTES // (width * channels * samples.itemsize)))
    strips = [zlib.compress(_differences(samples[start : start + rows])) for start in range(0, height, rows)]
    lengths = [len(strip) for strip in strips]
    directory = ImageFileDirectory_v2()
    described = {
        256: width,
        257: height,
        BITS_PER_SAMPLE: (8 * samples.itemsize,) * channels,
        259: 8,  # deflate
        262: 2,  # RGB
        273: tuple(
            np.cumsum([0, *lengths[:-1]]).tolist()
        ),  # Offsets from the end of the directory; Pillow adds its place.
        277: channels,
        278: rows,
        279: tuple(lengths),
        284: 1,  # channels side by side
        317: 2,  # differences along the rows
    }
    if channels == 4:
        described[338] = 2  # alpha that is not multiplied into the colours
    for tag, value in {**tags, **described}.items():
        directory[tag] = value
    directory.save(file)
    file.writelines(strips)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of PNG: length, kind, data and check sum."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _differences(samples: np.ndarray) -> bytes:
    """Return the differences of samples along their rows."""
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return np.concatenate([little[:, :1], np.diff(little, axis=1)], axis=1).tobytes()


def _filtered(samples: np.ndarray) -> Iterator[bytes]:
    """Yield rows by filter 4 of PNG, Paeth: each byte minus the likeliest of left (a), above (b), above left (c)."""
    pixel_bytes = 2 * samples.shape[2]
    above = np.zeros((samples.shape[1] + 1) * pixel_bytes, np.int16)
    for row in samples:
        this = np.concatenate([np.zeros(pixel_bytes, np.int16), np.frombuffer(row.astype(">u2").tobytes(), np.uint8)])
        a, b, c = this[:-pixel_bytes], above[pixel_bytes:], above[:-pixel_bytes]
        to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
        likeliest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
        yield b"\4" + (this[pixel_bytes:] - likeliest).astype(np.uint8).tobytes()
        above = this


def _deflated(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the rows deflated, in pieces of about IDAT_BYTES."""
    packer, pending = zlib.compressobj(), b""
    for row in rows:
        pending += packer.compress(row)
        if len(pending) >= IDAT_BYTES:
            yield pending
            pending = b""
    yield pending + packer.flush()
