"""16 bits a channel, which Pillow's RGB lacks: have it decode the lower byte too; write PNG and TIFF at full depth.

Samples are [height, width, channels], the channels RGB or RGBA.
"""

import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

BITS_PER_SAMPLE = 258
LITTLE, BIG = "16L", "16B"
NATIVE = LITTLE if sys.byteorder == "little" else BIG
IDAT_BYTES = STRIP_BYTES = 2**18


def decode_byte(picture: ImageFile, *, low: bool) -> bool:
    """Make a picture that is opened but not loaded decode the low, or the high, byte of its 16-bit RGB or RGBA.

    Return False, and change nothing, for a picture of another kind. Pillow unpacks the high byte; told that the bytes
    come in the other order, it unpacks the low one. Planes that are not compressed it takes for 8 bits when left alone;
    of planes that are compressed it always takes the high byte, which twice over is the colour in 8 bits.
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
    """Write uint16 samples as a PNG with further `chunks` (kind, data) before the pixels."""
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
    """Write uint8 or uint16 samples as a TIFF with further `tags`: deflated strips of differences along the rows."""
    height, width, channels = samples.shape
    rows = min(height, max(1, STRIP_BYTES // (width * channels * samples.itemsize)))
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    differences = np.concatenate([little[:, :1], np.diff(little, axis=1)], axis=1)
    strips = [zlib.compress(differences[start : start + rows].tobytes()) for start in range(0, height, rows)]
    lengths = [len(strip) for strip in strips]
    directory = ImageFileDirectory_v2()
    described = {
        256: width,
        257: height,
        BITS_PER_SAMPLE: (8 * samples.itemsize,) * channels,
        259: 8,  # deflate
        262: 2,  # RGB
        273: tuple(np.cumsum([0, *lengths[:-1]]).tolist()),  # counted from the end of this; Pillow adds where that is
        277: channels,
        278: rows,
        279: tuple(lengths),
        284: 1,  # channels side by side
        317: 2,  # differences along the rows
    }
    if channels == 4:
        described[338] = 2  # alpha, not multiplied into the colours
    for tag, value in {**tags, **described}.items():
        directory[tag] = value
    directory.save(file)
    file.writelines(strips)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _filtered(samples: np.ndarray) -> Iterator[bytes]:
    """Yield the rows by PNG's filter 4, Paeth: each byte less the likeliest of left (a), above (b), above left (c)."""
    pixel_bytes = 2 * samples.shape[2]
    above = np.zeros((samples.shape[1] + 1) * pixel_bytes, np.int16)
    for row in samples.astype(">u2"):
        this = np.concatenate([np.zeros(pixel_bytes, np.int16), np.frombuffer(row.tobytes(), np.uint8)])
        a, b, c = this[:-pixel_bytes], above[pixel_bytes:], above[:-pixel_bytes]
        to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
        likeliest = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
        yield b"\4" + (this[pixel_bytes:] - likeliest).astype(np.uint8).tobytes()
        above = this


def _deflated(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the deflated rows in pieces of about IDAT_BYTES."""
    packer, pending = zlib.compressobj(), b""
    for row in rows:
        pending += packer.compress(row)
        if len(pending) >= IDAT_BYTES:
            yield pending
            pending = b""
    yield pending + packer.flush()
