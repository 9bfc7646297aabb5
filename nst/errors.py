"""What the user can mend. The command shows it as one line, without a traceback, and exits with 2."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Say what is wrong, with the value, and what to do about it."""


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return '; did you mean X?' for the choice closest to `word`, or '' where none is close."""
    close = difflib.get_close_matches(word.lower(), list(choices), n=1)
    return f"; did you mean {close[0]}?" if close else ""
