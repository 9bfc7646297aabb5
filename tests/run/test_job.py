"""A job is checked before the long work: inputs, output, sizes, memory, and the run that it resumes or repeats."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL

import neural_art
from nst.errors import UserError
from nst.pictures.picture_files import write_picture
from nst.preset_files import make_settings
from nst.run.folder import RunFolder, default_output, reserved, result_name
from nst.run.input_files import find_pictures, read_inputs
from nst.run.job import Kind, plan_job
from nst.run.origin import Origin
from nst.run.record import read_record
from nst.run.request import Request
from nst.system.atomic_files import folder_lock
from nst.transfer.tiles import UNTILED_PX


@pytest.fixture
def request_of(here, pictures):
    """Return a function that makes a request for art.png with some settings."""

    def make(**overrides):
        content, style = map(Path, pictures)
        settings = make_settings(
            overrides={"size": 64, "smallest_scale": 32, "steps": 2, "coarse_steps": 2.0, **overrides}
        )
        return find_pictures(Request({"content": (content,), "style": (style,)}, settings, Path("art.png")))

    return make


def test_a_job_holds_the_pictures_and_the_plan_of_the_run(request_of, content):
    job = plan_job(request_of())
    np.testing.assert_allclose(job.photo.image, content, atol=1 / 255)
    assert [scale.size for scale in job.scales] == [(23, 32), (46, 64)]
    assert (job.memory.tile_px, job.steps_done, job.checkpoint, job.record) == (UNTILED_PX, 0, None, None)
    assert job.folder == RunFolder(Path("art.png"))
    assert 1050 < job.memory.memory_mb < 1200
    assert job.digests.keys() == {"content", "style"}


def test_scales_are_planned_once(request_of, monkeypatch):
    from nst.run import job

    calls, plan_scales = [], job.plan_scales
    monkeypatch.setattr(job, "plan_scales", lambda *given: calls.append(given) or plan_scales(*given))
    plan_job(request_of())
    assert len(calls) == 1


def test_a_dry_run_makes_not_even_a_folder(request_of):
    request = replace(request_of(), output=Path("deep/er/art.png"))
    plan_job(request, dry_run=True)
    assert not Path("deep").exists()
    plan_job(request)
    assert Path("deep/er").is_dir()


def test_a_limit_of_memory_from_outside_is_planned_with_and_changes_no_setting(request_of):
    job = plan_job(request_of(), most_mb=2000)
    assert job.settings.max_memory == 0
    with pytest.raises(UserError, match="needs about"):
        plan_job(request_of(), most_mb=500)
    assert plan_job(request_of(max_memory="2GB"), most_mb=500).settings.max_memory == 2000  # The user's own limit wins.


def test_what_is_there_is_replaced_only_if_wanted(request_of):
    Path("art.png").write_bytes(b"old")
    with pytest.raises(UserError, match=r"art\.png: exists already; give --overwrite"):
        plan_job(request_of())
    plan_job(replace(request_of(), overwrite=True))
    Path("art.png").unlink()
    Path("art").write_bytes(b"a file")
    with pytest.raises(UserError, match="art: is a file, where the folder of this run would be"):
        plan_job(request_of())


def test_a_stopped_run_of_the_same_is_resumed_if_wanted_and_else_refused(here, pictures, tiny, stopped_at, request_of):
    stopped_at(3, [*pictures, *SMALL, "-o", "art.png"])
    Path("art.png").unlink()
    with pytest.raises(UserError, match="art: holds a run that was stopped"):
        plan_job(request_of())
    resumed = plan_job(request_of(), Origin(if_begun=True))
    assert resumed.steps_done == 3
    with pytest.raises(UserError, match="holds a run that was stopped"):  # A run with another seed is another run.
        plan_job(request_of(seed=5), Origin(if_begun=True))
    assert plan_job(request_of(snapshot_every=7), Origin(if_begun=True)).steps_done == 3  # No pixel changes.


def test_inputs_of_a_record_must_be_the_recorded_ones(here, pictures, tiny, request_of):
    assert neural_art.main([*pictures, *SMALL, "-o", "first.png"]) == 0
    record = read_record(Path("first.png"))
    assert plan_job(request_of(), Origin(record, found=("content", "style"))).record == record
    Path(pictures[1]).write_bytes(Path(pictures[0]).read_bytes())
    with pytest.raises(UserError, match=r"is not the style that first\.png was made from"):
        plan_job(request_of(), Origin(record, found=("content", "style")))
    plan_job(request_of(), Origin(record, found=("content",)))  # The user has named another style.


@pytest.mark.parametrize("role", ["content", "style", "content_mask", "reads"])
@pytest.mark.parametrize("way", ["itself", "symbolic link", "hard link", "another spelling"])
def test_no_result_replaces_a_file_that_it_is_made_from(request_of, content, role, way):
    mask = write_picture(Path("mask.png"), np.ones_like(content)) or Path("mask.png")
    config = Path("run.png")  # of any name
    config.write_text("size = 64\n")
    request = replace(request_of(content_mask=str(mask)), reads=(config,))
    request = replace(request, paths={**request.paths, "content_mask": (mask,)})
    wanted = {**request.paths, "reads": request.reads}[role][0]
    output = {
        "itself": wanted,
        "symbolic link": Path("link.png"),
        "hard link": Path("link.png"),
        "another spelling": Path("deep") / ".." / wanted.absolute().relative_to(Path.cwd()),
    }[way]
    Path("deep").mkdir()
    if way == "symbolic link":
        output.symlink_to(wanted.absolute())
    elif way == "hard link":
        output.hardlink_to(wanted)
    before = wanted.read_bytes()
    with pytest.raises(UserError, match="is an input of this picture"):
        plan_job(replace(request, output=output, overwrite=True))
    assert wanted.read_bytes() == before


def test_a_run_at_work_is_not_told_of_as_stopped(request_of):
    job = plan_job(request_of())
    job.folder.path.mkdir()
    job.folder.checkpoint.write_bytes(b"of the run at work")
    with folder_lock(job.folder.path), pytest.raises(UserError, match="another run is at work there"):
        plan_job(request_of())
    with pytest.raises(UserError, match="holds a run that was stopped"):
        plan_job(request_of())


def test_without_a_name_a_run_that_has_begun_meanwhile_is_no_obstacle(request_of, tmp_path):
    """Of runs that start at once, each takes the next name."""
    request = replace(request_of(), output=None, folder=tmp_path)

    def another_begins(request):
        folder = reserved(default_output(f"{result_name(request.paths)}.png", request.folder))
        folder.checkpoint.write_bytes(b"of the other run")
        return read_inputs(request)

    planned = plan_job(request, kind=Kind(another_begins))
    folder = reserved(planned.folder.output)
    assert folder.output.stem == planned.folder.output.stem + "_2"


def test_a_picture_is_enlarged_beyond_the_largest_scale_and_a_clip_is_not(request_of):
    request = request_of(largest_scale=32)
    assert [(max(scale.size), scale.steps) for scale in plan_job(request).scales] == [(32, 2), (64, 0)]
    assert plan_job(request).memory.memory_mb < plan_job(request_of(size=2000)).memory.memory_mb
    assert [max(scale.size) for scale in plan_job(request, kind=Kind(moving=True)).scales] == [32]
