"""All options as a page of docs/, and the few that a newcomer needs as --help."""

from __future__ import annotations

import argparse

from nst.places import COMMAND

NEEDED = {  # The flags in --help, in lines of at most 78 characters.
    "-o PATH": "the result, or a folder for it",
    "--preset NAME": "default, best, fast or course; see --list-presets",
    "--size PX": "long side of the result, or 'original' [512]",
    "--strength X": "from 0, the photo, to 1, the painting [0.5]",
    "--style-scale X": "more than 1 for larger strokes [1]",
    "--preserve-color HOW": "'luminance' keeps the photo's colours [none]",
    "--max-time TIME": "no longer than this, such as 10m",
    "--watch, --open": "see the picture grow; see it at the end",
    "--resume RESULT": "go on with a stopped run",
    "--each-style": "many pictures: one in each style",
    "--batch FILE": "many pictures: one for each row of a file",
    "--sweep NAME=V1,V2": "many pictures: one for each value of a setting",
    "--dry-run": "check everything, and say how long it would take",
}
HEADINGS = {  # The groups of argparse, by name: their headings on the page.
    "positional arguments": "The pictures",
    "options": "The run",
}


def short_help() -> str:
    """Return what a newcomer needs to know, on one screen."""
    command = " ".join(COMMAND)
    flags = "\n".join(f"  {flag:22}{words}" for flag, words in NEEDED.items())
    return f"""usage: {command} CONTENT STYLE [options]

Redraw CONTENT, a photo, in the style of STYLE, a painting.

  {command} cat.jpg stone.jpg          two of --list-samples
  {command} photo.jpg painting.jpg --size 1024 -o art.jpg
  {command} photos/ painting.jpg       a picture of each photo

{flags}

All options: --help-all, or docs/options.md
"""


def options_page(parser: argparse.ArgumentParser) -> str:
    """Return a table of all options in Markdown, a group below the other."""
    lines = [
        "# Options",
        "",
        "`--help-all` prints the same. All settings of a picture, and most other options, may stand in a file for",
        "`--config` and in a row of a batch file too, under their names without dashes.",
    ]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.help]
        if not actions:
            continue
        heading = HEADINGS.get(str(group.title), str(group.title).capitalize())
        lines += ["", f"## {heading}", "", "| Option | Default | What it does |", "| --- | --- | --- |"]
        lines += map(_row, actions)
    return "\n".join(lines) + "\n"


def _row(action: argparse.Action) -> str:
    """Return the row of an option: its flags, its default, and its help."""
    words, _, default = str(action.help).rstrip("]").partition(" [")
    value = action.metavar or ""
    flags = [f"`{flag}{f' {value}' if value and action.nargs != 0 else ''}`" for flag in action.option_strings]
    shown = ", ".join(flags) or f"`{value}`"
    cells = [shown, f"`{default}`" if default else "", words]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
