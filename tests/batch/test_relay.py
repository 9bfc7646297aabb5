"""The progress of a picture that another process makes."""

import io
import json
import multiprocessing
import threading
from concurrent.futures import Future

import pytest

from nst.batch.orders import PictureResult
from nst.batch.relay import LAST, Relay, relayed
from nst.report.progress import Progress


@pytest.fixture
def relay():
    relay = Relay(multiprocessing.get_context("spawn"))
    yield relay
    relay.sender.close()


def test_all_of_a_picture_is_shown_before_it_is_done(relay):
    """The worker is a thread here: events reach the client in the same way. Another thread brings its result."""
    stream, made = io.StringIO(), Future()

    def work():
        progress = relayed(relay.sender)
        progress.tell("a warning")
        bringing.start()
        progress.tell("a late one")
        relay.sender.send((LAST, (), {}))

    working = threading.Thread(target=work)
    bringing = threading.Thread(target=made.set_result, args=[PictureResult("done")])

    def submit():
        working.start()
        return made

    shown = relay.shown(Progress(stream, kind="json", job="a.png"), submit)
    assert shown.result(10) == PictureResult("done")
    working.join()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["job"], line["message"]) for line in lines] == [("a.png", "a warning"), ("a.png", "a late one")]


def test_what_becomes_of_a_worker_is_told_at_once(relay):
    broken = Future()
    broken.set_exception(RuntimeError("died"))
    with pytest.raises(RuntimeError, match="died"):
        relay.shown(Progress(kind="silent"), lambda: broken).result(1)


def test_a_worker_that_dies_before_its_last_event_keeps_nobody_waiting(relay):
    made = Future()
    shown = relay.shown(Progress(kind="silent"), lambda: made)
    relay.sender.close()
    made.set_result(PictureResult("done"))
    assert shown.result(1) == PictureResult("done")
