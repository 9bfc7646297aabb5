"""The manifest: nothing that was written is lost by a kill, and a file is hashed again only when it has changed."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.batch.manifest import NAME, SETTLED_NS, is_inside, read_manifest


def test_lines_of_a_job_add_up(tmp_path):
    manifest = read_manifest(tmp_path)
    manifest.note("a.png", state="started", key="1", seconds=None)
    manifest.note("b.png", state="started", key="2", seconds=None)
    manifest.note("a.png", state="done", seconds=3.0)
    assert read_manifest(tmp_path).jobs == manifest.jobs
    assert manifest.jobs["a.png"] == {"state": "done", "key": "1", "seconds": 3.0}


@given(cut=st.integers(0, 200))
def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("batch")
    manifest = read_manifest(folder)
    manifest.note("a.png", state="done")
    whole = (folder / NAME).stat().st_size
    manifest.note("<b>\n.png", state="done", error="ü" * 9)
    os.truncate(folder / NAME, max(whole, (folder / NAME).stat().st_size - cut))
    found = read_manifest(folder)
    assert found.jobs["a.png"] == {"state": "done"}
    found.note("c.png", state="failed")
    again = read_manifest(folder).jobs
    assert again == {**found.jobs, "c.png": {"state": "failed"}}


def test_the_page_is_of_the_batch_once_it_was_begun(tmp_path):
    manifest = read_manifest(tmp_path)
    assert manifest.page is None
    for shown in ("", "1", "2"):
        manifest.note_page(shown)
        assert read_manifest(tmp_path).page == manifest.page == shown
    assert manifest.jobs == read_manifest(tmp_path).jobs == {}


def test_lines_that_are_none_are_passed_over(tmp_path):
    (tmp_path / NAME).write_bytes(b'\xff\xfe\n[1]\nnull\n{"job": "a.png", "state": "done"}\n{"file": 3}\n{}\n')
    assert read_manifest(tmp_path).jobs == {"a.png": {"state": "done"}}


def test_a_file_is_hashed_again_only_when_it_has_changed(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr("nst.batch.manifest.file_sha256", lambda path: hashed.append(path) or f"{len(hashed):064}")
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    long_ago = path.stat().st_mtime_ns - 2 * SETTLED_NS
    os.utime(path, ns=(long_ago, long_ago))
    manifest = read_manifest(tmp_path)
    assert [int(manifest.sha256(path)), int(manifest.sha256(path))] == [1, 1]
    manifest.keep_hashes()
    manifest = read_manifest(tmp_path)
    assert int(manifest.sha256(path)) == 1
    path.write_bytes(b"two")
    assert int(manifest.sha256(path)) == 2
    manifest.keep_hashes()
    assert int(read_manifest(tmp_path).sha256(path)) == 3  # as it may have changed within the tick of the clock
    assert manifest.sha256(tmp_path / "none.jpg") is None


ODD = [1, -1, 1e999, True, "text", "\0", [], [[]], {}, {"a": {}}, None]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_facts_of_another_type_are_passed_over(tmp_path, odd):
    """Whatever a line holds, the planner of a batch can work with what is taken of it."""
    names = ("job", "state", "seconds", "error", "wanted", "key", "identity", "settings", "inputs", "file", "page")
    lines = [{"job": "a.png", name: odd} for name in names]
    lines += [{"file": "a", "bytes": odd, "mtime_ns": 1, "sha256": "0" * 64}]
    lines += [{"file": "a", "bytes": 1, "mtime_ns": 1, "sha256": odd}]
    (tmp_path / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines) + "[" * 100_000 + "\n")
    manifest = read_manifest(tmp_path)
    for facts in manifest.jobs.values():
        hash((facts.get("wanted"), facts.get("key"), tuple(facts.get("identity") or ())))
        assert isinstance(facts.get("seconds") or 0.0, (int, float))
        assert isinstance(facts.get("settings") or {}, dict)
    assert all(type(size) is int and len(digest) == 64 for size, _, digest in manifest.files.values())


@pytest.mark.parametrize("name", ["../x.png", "/tmp/x.png", "a/../../x.png", "", "a\0.png", "."])
def test_a_name_may_be_of_a_file_outside_the_folder(name):
    assert not is_inside(name)
    assert is_inside("a/x.png")
