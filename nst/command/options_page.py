"""All options as a page of docs/."""

from __future__ import annotations

import argparse

HEADINGS = {  # The groups of argparse, by name: their headings on the page.
    "positional arguments": "The pictures",
    "options": "The run",
}


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
