"""The live view: what a browser may see of a run, and that a run nobody watches pays nothing for it."""

import time
from dataclasses import replace

import numpy as np
import pytest
from pages import step_of

from nst.report.live_view import LARGEST_SHARE, SECONDS_WATCHED, LiveView
from nst.report.sources import Named
from nst.report.status import DONE, FAILED, RUNNING, STARTING, STOPPED


def follow(live, number, picture=lambda: pytest.fail("no browser has asked")):
    live.follow(step_of(number), picture, None)


def test_a_run_from_its_start_to_its_end(sources):
    live = LiveView()
    assert live.state == STARTING
    with live.showing(sources, [step_of(1)], iter([(0.125, None), (0.5, 7.5), (1.0, None)]).__next__):
        assert (live.state, live.fraction_done, live.seconds_left) == (STARTING, 0.125, None)
        assert live.sources is sources
        follow(live, 2)
        assert ([step.number for step in live.steps], live.fraction_done, live.seconds_left) == ([1, 2], 0.5, 7.5)
        assert live.state == RUNNING
        follow(live, 3)
        assert live.seconds_left is None
    assert (live.state, live.seconds_left, live.over) == (DONE, None, False)
    live.close()
    assert live.over


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt, STOPPED), (MemoryError, FAILED)])
def test_how_a_run_ends(sources, error, state):
    live = LiveView()
    with pytest.raises(error), live.showing(sources):
        raise error
    assert live.state == state


def test_the_next_run_of_a_batch_begins_anew(sources, content):
    live = LiveView()
    with live.showing(sources, measure=lambda: (0.5, 2.0)):
        follow(live, 1)
        live.show(content)
    with live.showing(replace(sources, content=Named("other.png", content))):
        assert (live.run, live.sources.content.name, live.state) == (2, "other.png", STARTING)
        assert (live.steps, live.image, live.image_version) == ([], None, 0)
        assert (live.fraction_done, live.seconds_left) == (0.0, None)


def test_the_steps_of_an_earlier_part_stay_as_they_are(sources):
    live, earlier = LiveView(), [step_of(1)]
    with live.showing(sources, earlier):
        follow(live, 2)
    assert [step.number for step in earlier] == [1]


def test_every_change_has_a_version_of_its_own(sources, content):
    live, versions = LiveView(), [0]
    with live.showing(sources):
        versions.append(live.version)
        for number in range(1, 4):
            follow(live, number)
            versions.append(live.version)
        live.show(content)
        versions.append(live.version)
        assert live.image_version == live.version
    versions.append(live.version)
    live.close()
    assert [*versions, live.version] == sorted({*versions, live.version})


def test_a_picture_is_taken_only_when_a_browser_asks_and_seldom(sources, content):
    live, taken = LiveView(), []

    def picture():
        taken.append(1)
        time.sleep(0.02)
        return content

    with live.showing(sources):
        for number in range(1, 6):
            follow(live, number)
        for number in range(6, 11):
            live.wanted = True
            follow(live, number, picture)
        assert taken == [1]
        assert live.due - time.monotonic() > 0.02 / LARGEST_SHARE - 1


def test_a_run_keeps_its_picture_to_itself(sources, content):
    """Later changes of the optimiser's array do not show."""
    live, image = LiveView(), content.copy()
    with live.showing(sources):
        live.wanted = True
        follow(live, 1, lambda: image)
        image[:] = 0
        np.testing.assert_array_equal(live.image, content)
        assert not live.wanted


def test_a_view_is_seen_when_the_browser_shows_the_latest_version_or_has_gone(sources, content):
    live = LiveView()
    with live.showing(sources):
        assert live.has_been_seen  # as no browser watches
        live.asked, live.shown = time.monotonic(), live.version
        assert live.has_been_seen
        live.show(content)
        assert not live.has_been_seen
        live.shown = live.version
        assert live.has_been_seen
        live.close()
        assert not live.has_been_seen
        live.asked -= SECONDS_WATCHED + 0.1
        assert live.has_been_seen


def test_a_view_costs_next_to_nothing_where_no_one_watches(sources):
    live = LiveView()
    with live.showing(sources):
        began = time.perf_counter()
        for number in range(1, 1001):
            follow(live, number)
        assert time.perf_counter() - began < 0.5


def test_a_frame_of_a_clip_is_shown_beside_its_picture(sources, content):
    live, step = LiveView(), replace(step_of(1), costs={})
    with live.showing(replace(sources, unit="frame")):
        live.follow_frame(step, content, 1 - content)
        assert live.image is None  # Nobody looks.
        live.wanted = True
        live.follow_frame(replace(step, number=2), content / 2, 1 - content)
        np.testing.assert_array_equal(live.image, 1 - content)
        np.testing.assert_array_equal(live.sources.content.image, content / 2)
    assert live.sources.content.name == sources.content.name
