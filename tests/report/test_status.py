"""The states of pictures and runs, and how a picture's status is printed."""

import json
from pathlib import Path

from conftest import PROJECT

from nst.report import pages, status
from nst.report.status import CHANGED, DONE, FAILED, MISSING, STOPPED, TO_DO, PictureStatus


def test_no_two_states_are_the_same():
    states = [value for name, value in vars(status).items() if name.isupper()]
    assert len(states) == len(set(states)) == 10


def test_a_status_is_printed_as_its_schema_says():
    schema = json.loads((PROJECT / "docs" / "result.schema.json").read_text())["properties"]["jobs"]["items"]
    described = PictureStatus(
        title="art",
        state=DONE,
        result=Path("out", "art.png"),
        content=Path("photo.png"),
        styles=(Path("a.png"), Path("b.png")),
        seconds=1.25,
        error=None,
        settings={"size": 512},
        folder=Path("out", "art"),
    ).described()
    assert set(described) == set(schema["properties"]) == set(schema["required"])
    assert set(schema["properties"]["state"]["enum"]) == {TO_DO, CHANGED, DONE, FAILED, STOPPED}
    assert json.loads(json.dumps(described)) == {
        "title": "art",
        "state": "done",
        "path": str(Path("out", "art.png")),
        "content": "photo.png",
        "styles": ["a.png", "b.png"],
        "seconds": 1.25,
        "error": None,
        "settings": {"size": 512},
    }


def test_a_page_has_words_and_a_colour_for_each_of_its_states():
    assert set(pages.STATES) == {DONE, FAILED, STOPPED, MISSING}
    style = (pages.TEMPLATES / "page.css").read_text()
    assert all(f".state.{state}" in style for state in (*pages.STATES, status.RUNNING))
