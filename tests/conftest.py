"""Tiny pictures and a tiny network, for all tests in which the real weights do not matter."""

import functools
import json
import os
import shutil
import signal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import psutil
import pytest

import neural_art
import nst
from nst.batch.orders import Order
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of
from nst.network import vgg19, weights
from nst.network.loaded import forget_network
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize
from nst.places import SAMPLES
from nst.preset_files import describe, make_settings
from nst.report.sources import Named, Sources
from nst.run.request import Request
from nst.system.atomic_files import file_sha256

PROJECT = Path(__file__).resolve().parent.parent
SHALLOW = {  # of shallow_network
    "style_layers": ["conv1_1:0.25", "conv2_1:0.75"],
    "content_layers": ["conv2_2"],
    "match_layers": ["conv1_1:0.25", "conv2_1:0.75"],
    "compose_layers": ["none"],
    "subject_weight": 0.0,
}
PLAIN = {"match_weight": 0.0, "color_weight": 0.0, "compose": 0.0}  # with SHALLOW: content and style cost alone
SMALL = [
    "--size",
    "64",
    "--smallest-scale",
    "32",
    "--steps",
    "2",
    "--coarse-steps",
    "2",
]  # flags of a run that takes a moment


@pytest.fixture(scope="session")
def content() -> np.ndarray:
    """A smooth picture, 40x56."""
    rows, columns = np.mgrid[0:40, 0:56] / 56.0
    return np.stack([rows, columns, 0.5 + 0.3 * np.sin(9 * rows)], axis=-1).astype(np.float32)


@pytest.fixture(scope="session")
def style() -> np.ndarray:
    """A busy picture of another size and shape, 48x36."""
    return np.random.default_rng(7).uniform(0, 1, (48, 36, 3)).astype(np.float32)


@pytest.fixture(scope="session")
def tiny_weights() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All layers of VGG19 with a sixteenth of its channels and random kernels that keep the scale of activations."""
    random = np.random.default_rng(3)
    weights, channels_in = {}, 3
    for layer in LAYERS:
        channels_out = CHANNELS_PER_BLOCK[block_of(layer) - 1] // 16
        kernel = random.normal(0, np.sqrt(2 / (9 * channels_in)), (3, 3, channels_in, channels_out))
        weights[layer] = kernel.astype(np.float32), random.normal(0, 0.1, channels_out).astype(np.float32)
        channels_in = channels_out
    return weights


@pytest.fixture(scope="session")
def tiny_network(tiny_weights):
    """The network of the tiny weights with all layers: one object, so that its graphs are traced once for all tests."""
    from nst.network.vgg19 import build_network

    return build_network(tiny_weights, LAYERS)


@pytest.fixture(scope="session")
def shallow_network(tiny_weights):
    """The first two blocks of the tiny network, for tests in which the depth does not matter; see SHALLOW."""
    from nst.network.vgg19 import build_network

    return build_network(tiny_weights, ["conv1_1", "conv2_1", "conv2_2"])


@pytest.fixture(scope="session")
def vgg19_weights():
    """VGG19's real weights."""
    return weights.load_weights()


@pytest.fixture(scope="session")
def vgg19_of_the_course(vgg19_weights):
    """The network of the real weights with all layers and average pooling."""
    from nst.network.vgg19 import build_network

    return build_network(vgg19_weights, LAYERS, pooling="avg")


@pytest.fixture(scope="session")
def numpy_vgg19():
    """Return VGG19 in NumPy, in float64: (weights, images, pooling) -> layer -> [image, height, width, channels]."""

    def activations(weights, images, pooling):
        x, found = np.float64(images) * 255 - np.array([123.68, 116.779, 103.939]), {}
        for layer, (kernel, bias) in weights.items():
            height, width = x.shape[1:3]
            if layer.endswith("_1") and layer != "conv1_1":
                height, width = height // 2, width // 2
                cells = x[:, : 2 * height, : 2 * width].reshape(len(x), height, 2, width, 2, -1)
                x = cells.max(axis=(2, 4)) if pooling == "max" else cells.mean(axis=(2, 4))
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            shifted = [(padded[:, i : i + height, j : j + width], kernel[i, j]) for i in range(3) for j in range(3)]
            x = np.maximum(sum(window @ matrix.astype(np.float64) for window, matrix in shifted) + bias, 0)
            found[layer] = x
        return found

    return activations


def view_of(network, inputs, scale, *, picture=None, tile_px=10_000):
    """Return the view of a scale, made as stylize makes it for a run that starts the scale with `picture`."""
    from nst.transfer.matching import make_match
    from nst.transfer.photo_maps import make_photo_maps
    from nst.transfer.view import make_view

    maps = make_photo_maps(network, inputs.content, inputs.settings)
    match = make_match(network, inputs, scale, picture, tile_px=tile_px)
    return make_view(network, inputs, scale, maps, match, tile_px=tile_px)


@pytest.fixture(scope="session")
def redrawn(shallow_network):
    """Return a function that redraws pictures at all scales that their settings ask for, by the shallow network."""
    from nst.transfer.scales import plan_scales
    from nst.transfer.stylize import stylize

    def redraw(inputs, network=shallow_network, **options):
        sizes = [style.shape[:2] for style in inputs.styles]
        scales = plan_scales(inputs.content.shape[:2], sizes, inputs.settings)
        return stylize(inputs, network, scales, **options)

    return redraw


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A headless Chromium, in which evil.example is this machine. Without one, tests are skipped; in CI they fail."""
    programs = [shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")]
    if not all(programs):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs chromium and chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--disable-gpu")
    options.add_argument("--host-resolver-rules=MAP evil.example 127.0.0.1")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs[1]))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """Return what opens an address in a window so wide, light or dark; at the end the console must be empty."""

    def see(url, width=1280, scheme="light"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        window = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        chromium.get(url)
        return chromium

    chromium.get_log("browser")
    yield see
    assert chromium.get_log("browser") == []
    chromium.get("about:blank")


@pytest.fixture
def pictures(tmp_path, content, style) -> list[str]:
    """Return the paths of a photo and of a style as files."""
    write_picture(tmp_path / "content.png", content)
    write_picture(tmp_path / "style.png", style)
    return [str(tmp_path / "content.png"), str(tmp_path / "style.png")]


@pytest.fixture(scope="session")
def build_once(tiny_weights):
    """Return a function in place of build_network that builds each tiny network once: its graphs are traced once."""
    build = vgg19.build_network

    @functools.cache
    def build_tiny(layers, pooling, precision):
        return build(tiny_weights, layers, pooling=pooling, precision=precision)

    def build_network(given, layers, *, pooling="max", precision="float32"):
        if given is tiny_weights:
            return build_tiny(frozenset(layers), pooling, precision)
        return build(given, layers, pooling=pooling, precision=precision)

    return build_network


@pytest.fixture
def tiny(monkeypatch, tiny_weights, build_once):
    """Put a tiny network in place of VGG19; return the sources that weights were loaded from."""
    sources = []

    def load(source=None):
        sources.append(source)
        return tiny_weights

    monkeypatch.setattr(weights, "load_weights", load)
    monkeypatch.setattr(vgg19, "build_network", build_once)
    forget_network()
    yield sources
    forget_network()


@pytest.fixture
def refused(capsys):
    """Return a function that gives the one line with which the command refuses words, nothing written to stdout."""

    def line(words):
        assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1
        return err

    return line


@pytest.fixture
def stopped_at(capsys):
    """Return a function that runs the command, stops it after so many steps, and returns its last line."""

    def run(number, words):
        def stop(step, picture, state):
            if step.number == number:
                raise KeyboardInterrupt(signal.SIGTERM)

        assert neural_art.main(words, on_step=[stop]) == 128 + signal.SIGTERM
        return capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.fixture
def sources(content, style) -> Sources:
    """A photo and two styles, as pages show them, of a run of 8 steps."""
    return Sources(Named("a <b>.png", content), (Named("s.png", style), Named("t.png", style)), steps=8)


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a picture of Pillow and returns its path."""

    def save(picture, name="picture.png", **options):
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return save


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """Return a function that says how many megabytes the machine has free, and this process holds, in no group."""
    for name in ("OWN_GROUP", "GROUPS"):
        monkeypatch.setattr(f"nst.system.memory.{name}", tmp_path / name.lower())

    def say(free_mb, held_mb=0):
        machine, process = SimpleNamespace(available=free_mb * 10**6), SimpleNamespace(rss=held_mb * 10**6)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
        monkeypatch.setattr(psutil.Process, "memory_info", lambda self: process)

    return say


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def record(tmp_path):
    """Return a function that writes a record with changes, and its content and style beside it; return its path."""

    def write(**changes):
        hashes = {}
        for name in ("cat.png", "stone.png"):
            (tmp_path / name).write_bytes(name.encode())
            hashes[name] = file_sha256(tmp_path / name)
        values = {
            "files": {"content": ["cat.png"], "style": ["stone.png"]},
            "result": "cat_stone.png",
            "sha256": hashes,
            "settings": describe(make_settings("course")),
            "precision": "float32",
            "weights_sha256": "0" * 64,
            "versions": {"neural_art": nst.__version__, "tensorflow": "2.18.0"},
        }
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**values, **changes}))
        return path

    return write


@pytest.fixture
def config(tmp_path):
    """Return a function that writes a file's text and returns its path."""

    def write(text):
        path = tmp_path / "art.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Be in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def order(here, content, style, tiny):
    """Return an order of a picture, with a tiny network in place of VGG19."""
    write_picture(Path("content.png"), content)
    write_picture(Path("style.png"), style)
    paths = {"content": (Path("content.png"),), "style": (Path("style.png"),)}
    settings = make_settings(overrides={"size": 32, "smallest_scale": 32, "steps": 3})
    return Order(Request(paths, settings, Path("here/art.png")))


@pytest.fixture(scope="session")
def scenery() -> np.ndarray:
    """A part of a sample, from which pans are cut, 96x240."""
    return resize(read_image(SAMPLES / "castle.jpg"), (160, 240))[40:136]


@pytest.fixture(scope="session")
def pan(scenery) -> list[np.ndarray]:
    """Eight frames of 64x96 px, each 3 px further to the right and 1 px further down."""
    return [scenery[k : k + 64, 3 * k : 3 * k + 96] for k in range(8)]


@pytest.fixture
def out_of_memory():
    """Return a function to put in the place of another, for which TensorFlow has too little memory."""
    from tensorflow.errors import ResourceExhaustedError

    def fail(*_, **__):
        raise ResourceExhaustedError(None, None, "OOM when allocating tensor")

    return fail


@pytest.fixture
def write_clip():
    """Return a function that writes frames as a video, with times in hundredths of a second, and a tone if wanted."""

    av = pytest.importorskip("av")

    def write(path, frames, times=None, *, sound=False, codec="libx264", pixels="yuv420p"):
        times = times or [4 * number for number in range(len(frames))]
        height, width = frames[0].shape[:2]
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, options={"crf": "10"} if codec == "libx264" else {})
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
            tone = container.add_stream("aac", rate=8000) if sound else None
            for image, time in zip(frames, times, strict=True):
                levels = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format="rgb24")
                frame.pts, frame.time_base = time, Fraction(1, 100)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if tone:
                samples = np.sin(np.arange(8000 * (times[-1] + 4) // 100) / 3, dtype=np.float32)[None]
                audio = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
                audio.sample_rate, audio.pts = 8000, 0
                container.mux(tone.encode(audio))
                container.mux(tone.encode())
        return path

    return write
