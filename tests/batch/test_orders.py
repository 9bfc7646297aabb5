"""An order for a picture, and its result."""

import json
from dataclasses import replace
from pathlib import Path

from nst.batch.orders import make
from nst.report.status import DONE
from nst.run.record import deciding
from nst.transfer.tiles import UNTILED_PX


def changed(order, **changes):
    """Return an order with changes in its request."""
    return replace(order, request=replace(order.request, **changes))


def test_a_share_of_the_memory_is_planned_with_and_leaves_no_trace(order, monkeypatch):
    planned = []

    def plan(sizes, settings, most_mb):
        planned.append(settings.max_memory or most_mb)
        return UNTILED_PX

    monkeypatch.setattr("nst.run.job.plan_tile", plan)
    assert make(replace(order, most_mb=1500)).state == DONE
    assert json.loads(Path("here/art/settings.json").read_text())["settings"]["max_memory"] == 0
    settings = replace(order.request.settings, max_memory=2000.0)
    assert make(replace(changed(order, settings=settings, overwrite=True), most_mb=1500)).state == DONE
    assert planned == [1500, 2000]
    assert not {"threads", "max_memory", "tile"} & deciding(order.request.settings).keys()
