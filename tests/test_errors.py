"""Errors are told in one line."""

import errno

import pytest

from nst.errors import one_line, os_error_reason, os_error_words, suggestion


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "a.png: No space left on device"),
        (OSError(errno.ENOSPC, "No space left on device"), "checkpoint: No space left on device"),
        (OSError("broken"), "checkpoint: broken"),
    ],
)
def test_an_error_of_the_system_names_its_file_and_its_reason(error, words):
    assert os_error_words(error, "checkpoint") == words
    assert os_error_reason(error) == words.partition(": ")[2]


def test_a_close_word_is_suggested_and_no_other():
    assert suggestion("lbfg", ["adam", "lbfgs"]) == "; did you mean lbfgs?"
    assert suggestion("zzz", ["adam", "lbfgs"]) == ""


def test_control_characters_are_written_out():
    assert one_line("a\nb\tc\x1b é") == r"a\nb\tc\x1b é"
