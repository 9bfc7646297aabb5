"""The errors that end a run, each in one line for the user and without a traceback; and words for other errors."""

import difflib
from collections.abc import Iterable
from pathlib import Path

LONGEST_WORD = 4096  # The most characters of a path on Linux.


class UserError(Exception):
    """An error that the user can mend. The text names the value, the fault and the remedy. The command exits with 2."""


class RunError(Exception):
    """A failure of a run that had begun well. The text says what is saved. The command exits with 1.

    path  the picture that was saved, if any
    """

    def __init__(self, words: str, path: Path | None = None) -> None:
        super().__init__(words)
        self.path = path


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return '; did you mean X?' for the choice closest to `word`, or '' if no choice is close."""
    close = difflib.get_close_matches(word.lower(), list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, as '1 picture' or '2 pictures'."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def one_line(text: str) -> str:
    """Return a text on one line: control characters, which file names may have, become escapes such as \\n.

    Of a word that is longer than any path, the middle is left out.
    """
    words = (word if len(word) <= LONGEST_WORD else f"{word[:100]}...{word[-100:]}" for word in text.split(" "))
    return "".join(repr(character)[1:-1] if ord(character) < 32 else character for character in " ".join(words))


def os_error_words(error: OSError, what: str = "file") -> str:
    """Return the words for an OSError: the name of its file, or `what`, and the reason."""
    return f"{error.filename or what}: {os_error_reason(error)}"


def os_error_reason(error: OSError) -> str:
    """Return the reason of an OSError, such as 'No space left on device'."""
    return error.strerror or str(error)
