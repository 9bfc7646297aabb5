"""Large and absurd files: read or refused within a limit of memory, in seconds. Each in a process of its own."""

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import PROJECT
from PIL import Image

MOST_MB = 1000
MOST_SECONDS = 10
READ = """
import json, sys, time
from pathlib import Path
from nst.errors import UserError
from nst.pictures.picture_files import read_picture
began = time.monotonic()
try:
    words = str(read_picture(Path(sys.argv[1]), most_mb=int(sys.argv[2])).image.shape)
except UserError as error:
    words = str(error)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) * 1024 / 1e6
print(json.dumps({"words": words, "seconds": time.monotonic() - began, "mb": peak}))
"""


def png_of(width, height, *chunks):
    """Return a PNG of a size whose pixels are all there, black, and packed to nothing; with chunks before them."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(4 * width + 1)) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", pixels)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def wide_gif():
    data = bytearray(saved(Image.new("P", (16, 16)), "GIF"))
    data[6:10] = struct.pack("<HH", 30000, 30000)
    return bytes(data)


def many_gif():
    frames = [Image.new("P", (400, 400), number) for number in range(200)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def tiff(levels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, levels, photometric="minisblack" if levels.shape[-1] > 3 else "rgb", **options)
    return file.getvalue()


FILES = {  # By name: what makes the file, and what is told of it.
    "transparent.png": (lambda: png_of(10000, 8900), "to read, of 1000 MB"),
    "text.png": (lambda: png_of(16, 16, (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**9)))), ""),
    "wide.gif": (wide_gif, "absurdly large"),
    "many.gif": (many_gif, "(400, 400, 3)"),
    "photo.jpg": (lambda: saved(Image.new("RGB", (12000, 9000), "teal"), "JPEG"), ", 3)"),
    "deep.tif": (lambda: tiff(np.zeros((6000, 9000, 3), np.uint16), compression="zlib"), "to read, of 1000 MB"),
    "pages.tif": (lambda: tiff(np.zeros((3000, 64, 64), np.uint8)), "(64, 64, 3)"),
    "line.png": (lambda: saved(Image.new("L", (60000, 1)), "PNG"), "(1, 60000, 3)"),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("name", FILES)
def test_large_files_are_read_or_refused_within_memory_and_time(tmp_path, name):
    make, words = FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    command = [sys.executable, "-c", READ, str(path), str(MOST_MB)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    told = json.loads(run.stdout)
    assert words in told["words"]
    assert told["mb"] < MOST_MB, told
    assert told["seconds"] < MOST_SECONDS, told
