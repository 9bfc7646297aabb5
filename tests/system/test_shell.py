"""A line that the program prints can be typed again, and a line that a user wrote is read."""

import shlex

import pytest

from nst.system.shell import shell_words, split_words

WORDS = ["python", "neural_art.py", "my photo.jpg", "a&b.jpg", "", "don't.jpg"]


@pytest.mark.parametrize("text", ["", " ", "a 'b c' \"d e\"", "a\\ b 'c", "a\\ b", "#a # b"])
def test_words_are_split_as_a_shell_does(text):
    def attempt(split):
        try:
            return split(text)
        except ValueError as error:
            return str(error)

    assert attempt(split_words) == attempt(shlex.split)


def test_words_that_are_printed_are_read_as_the_same_words():
    assert split_words(shell_words(WORDS)) == WORDS


def test_on_windows_words_have_double_quotes_and_backslashes_stay(monkeypatch):
    monkeypatch.setattr("nst.system.shell.WINDOWS", True)
    line = shell_words([*WORDS, r"C:\art\new.png", r"my art\b.png"])
    assert line == r'''python neural_art.py "my photo.jpg" "a&b.jpg" "" "don't.jpg" C:\art\new.png "my art\b.png"'''
    assert split_words(line) == [*WORDS, r"C:\art\new.png", r"my art\b.png"]
