"""The few options that a newcomer needs, on one screen: --help."""

from __future__ import annotations

from nst.options import default_words
from nst.places import COMMAND
from nst.preset_files import presets
from nst.values import FIELDS

NEEDED = {  # The flags, in lines of at most 78 characters. The default of a setting is added.
    "-o PATH": "the result, or a folder for it",
    "--preset NAME": "PRESETS; see --list-presets",
    "--size PX": "long side of the result, or 'original'",
    "--strength X": "from 0, the photo, to 1, the painting",
    "--style-scale X": "more than 1 for larger strokes",
    "--preserve-color HOW": "'luminance' keeps the photo's colours",
    "--max-time TIME": "no longer than this, such as 10m; 0 for no limit",
    "--watch, --open": "see the picture grow; see it at the end",
    "--resume RESULT": "go on with a stopped run",
    "--each-style": "many pictures: one in each style",
    "--batch FILE": "many pictures: one for each row of a file",
    "--sweep NAME=V1,V2": "many pictures: one for each value of a setting",
    "--dry-run": "check everything, and say how long it would take",
}


def short_help() -> str:
    """Return what a newcomer needs to know, on one screen."""
    command = " ".join(COMMAND)
    flags = "\n".join(f"  {flag:22}{_words(flag, words)}" for flag, words in NEEDED.items())
    return f"""usage: {command} CONTENT STYLE [options]

Redraw CONTENT, a photo, in the style of STYLE, a painting.

  {command} cat.jpg stone.jpg          two of --list-samples
  {command} photo.jpg painting.jpg --size 1024 -o art.jpg
  {command} photos/ painting.jpg       a picture of each photo

{flags}

All options: --help-all, or docs/options.md
"""


def _words(flag: str, words: str) -> str:
    """Return the words for a flag, with the presets by name and with the default of a setting."""
    name = flag.split()[0].removeprefix("--").replace("-", "_")
    default = f" [{default_words(FIELDS[name])}]" if name in FIELDS else ""
    return words.replace("PRESETS", ", ".join(presets())) + default
