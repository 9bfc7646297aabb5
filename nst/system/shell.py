"""Words as a user types them in a shell: bash and the like, or PowerShell and cmd on Windows."""

import os
import re
import shlex
from collections.abc import Sequence

WINDOWS = os.name == "nt"
PLAIN = re.compile(r"[\w.:\\/=-]+")  # A word that needs no quotes on Windows.


def shell_words(words: Sequence[str]) -> str:
    """Return words as a line for a shell."""
    if not WINDOWS:
        return shlex.join(words)
    return " ".join(word if PLAIN.fullmatch(word) else f'"{word}"' for word in words)


def split_words(line: str) -> list[str]:
    """Return the words of a line. Raises ValueError where a quote has no end.

    On Windows, a backslash stands for itself, as in a path.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.escape = "" if WINDOWS else lexer.escape
    return list(lexer)
