"""Pictures made by a Dask cluster's workers, on a disk that is not the client's."""

import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neural_art
import nst
from nst.batch.dask_workers import _files_of, _scattered, make_on_other_disk
from nst.batch.orders import make, write_files
from nst.pictures.picture_files import read_image, write_picture
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.request import settings_naming
from nst.system.atomic_files import file_sha256


def changed(order, **changes):
    """Return an order with changes in its request."""
    return replace(order, request=replace(order.request, **changes))


def elsewhere(order, on_step=()):
    """Make a picture as a worker does that shares no disk, where none of the client's files is to be seen."""
    found = _files_of(order)
    sources = [(role, str(path)) for role, path in found]
    return make_on_other_disk(order, sources, *(path.read_bytes() for _, path in found), on_step=on_step)


def test_a_picture_made_on_another_disk_is_the_same(order, content):
    mask = np.ones_like(content) * (np.arange(56) < 28)[None, :, None]
    write_picture(Path("mask.png"), mask.astype(np.float32))
    settings = replace(order.request.settings, init="style.png", style_mask=("mask.png",), content_mask="mask.png")
    masks = {role: (Path("mask.png"),) for role in ("style_mask", "content_mask")}
    order = changed(order, settings=settings, paths={**order.request.paths, "init": (Path("style.png"),), **masks})
    assert make(order).state == DONE
    there = changed(order, output=Path("there/art.png"))
    made = elsewhere(there)
    assert made.state == DONE
    write_files(there, made)
    np.testing.assert_array_equal(read_image(Path("here/art.png")), read_image(Path("there/art.png")))
    assert {path.name for path in Path("there/art").iterdir()} == {"losses.csv", "report.html", "settings.json"}
    assert file_sha256(Path("here/art/losses.csv")) == file_sha256(Path("there/art/losses.csv"))
    assert "neural_art_" not in Path("there/art/settings.json").read_text()


def test_weights_are_sent_too_and_found_where_they_are_placed(order):
    Path("vgg.npz").write_bytes(b"weights")
    order = changed(order, settings=replace(order.request.settings, weights="vgg.npz"))
    assert ("weights", Path("vgg.npz")) in _files_of(order)
    assert settings_naming(order.request.settings, {"weights": (Path("x/vgg.npz"),)}).weights == "x/vgg.npz"
    assert elsewhere(order).state == DONE


def test_errors_on_another_disk_name_the_clients_files(order):
    Path("content.png").write_bytes(b"no picture")
    made = elsewhere(order)
    assert (made.state, made.files) == (FAILED, {})
    assert made.error.startswith("content.png: is not a picture")


def test_a_worker_of_another_version_says_so(order):
    made = elsewhere(replace(order, version="0.0.9"))
    assert (made.state, made.error) == (
        FAILED,
        f"the worker has neural_art {nst.__version__}, not 0.0.9; give it the same code",
    )


def test_a_picture_stopped_on_another_disk_goes_on_there(order, monkeypatch, tmp_path):
    assert make(order).state == DONE
    order = replace(changed(order, output=Path("there/art.png")), stop="stop")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = elsewhere(order, on_step=[lambda *_: Path("stop").touch()])
    assert (made.state, made.signal) == (STOPPED, signal.SIGTERM)
    write_files(order, made)
    assert Path("there/art/checkpoint.npz").exists()
    assert elsewhere(order).state == STOPPED  # before it begins
    Path("stop").unlink()
    steps = []
    made = elsewhere(order, on_step=[lambda step, *_: steps.append(step.number)])
    assert (made.state, steps) == (DONE, [2, 3])
    write_files(order, made)
    np.testing.assert_array_equal(read_image(Path("here/art.png")), read_image(Path("there/art.png")))
    assert not list(Path("there/art").glob("checkpoint*"))


def test_what_a_dying_worker_does_not_take_goes_to_another(monkeypatch):
    monkeypatch.setattr("nst.batch.dask_workers.SECONDS_TO_RECOVER", 0)
    failures = [OSError("Stream is closed")] * 3

    class Client:
        def scatter(self, contents, hash):
            if failures:
                raise failures.pop()
            return contents

    assert _scattered(Client(), b"photo") == b"photo"
    failures += [OSError("Stream is closed")] * 4
    with pytest.raises(OSError, match="closed"):
        _scattered(Client(), b"photo")


def test_dask_is_named_where_it_is_missing_or_silent(order, capsys, monkeypatch):
    words = ["--batch", "jobs.csv", "-o", "out", "--dask", "tcp://127.0.0.1:9"]
    Path("jobs.csv").write_text("content,style\ncontent.png,style.png\n")
    monkeypatch.setattr("nst.batch.dask_workers.CONNECT_SECONDS", 0.2)
    assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
    assert "--dask tcp://127.0.0.1:9: no scheduler answers there; start one" in capsys.readouterr().err
    assert not Path("out").exists()
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert neural_art.main(words) == neural_art.EXIT_USER_ERROR
    assert "--dask: needs distributed; pip install -r requirements-dask.txt" in capsys.readouterr().err
