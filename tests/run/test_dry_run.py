"""A dry run says what a run would do, and does nothing of it."""

from pathlib import Path

from nst.preset_files import make_settings
from nst.report.progress import Progress
from nst.run.dry_run import dry_run
from nst.run.input_files import find_pictures
from nst.run.origin import Origin
from nst.run.request import Request


def test_a_dry_run_tells_place_scales_time_and_memory(here, pictures, tiny):
    content, style = map(Path, pictures)
    settings = make_settings(overrides={"size": 64, "smallest_scale": 32, "steps": 2, "coarse_steps": 2.0})
    request = find_pictures(Request({"content": (content,), "style": (style,)}, settings, Path("art.png")))
    plan = dry_run(request, Origin(), Progress(kind="silent"))
    place, *scales, needs = plan.text.splitlines()
    assert (place, scales) == ("art.png", ["32x23 px  4 steps", "64x46 px  2 steps"])
    assert needs.startswith(f"about {plan.seconds:.0f} s and {plan.memory_mb} MB of memory")
    assert sorted(path.name for path in here.iterdir()) == ["content.png", "style.png"]
