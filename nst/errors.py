"""What ends a run, in words. The command shows one line, without a traceback."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """What the user can mend: what is wrong, with the value, and what to do about it. The command exits with 2."""


class RunError(Exception):
    """What went wrong with a run that was sound to begin, and what is left of it. The command exits with 1.

    path  of the picture that was saved, if any
    """

    def __init__(self, words: str, path: Path | None = None) -> None:
        super().__init__(words)
        self.path = path


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return '; did you mean X?' for the choice closest to `word`, or '' where none is close."""
    close = difflib.get_close_matches(word.lower(), list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def one_line(text: str) -> str:
    """Return a text with line breaks and other control characters, as file names may have, written out."""
    return "".join(repr(character)[1:-1] if ord(character) < 32 else character for character in text)


def os_error_words(error: OSError, what: str = "file") -> str:
    """Return the words for an error of the system: the file's name, or `what`, and the reason."""
    return f"{error.filename or what}: {os_error_reason(error)}"


def os_error_reason(error: OSError) -> str:
    """Return the reason of an error of the system, such as 'No space left on device'."""
    return error.strerror or str(error)
