"""The sources of a run: the names on its page."""

from nst.report.sources import title_of


def test_a_title_has_the_names_without_suffix(sources):
    assert title_of(sources) == ("a <b>", ["s", "t"])
