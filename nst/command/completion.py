"""What completes this command in a shell: flags, their choices, layers, presets, samples and files."""

from __future__ import annotations

import argparse
from typing import Any

from nst.errors import UserError
from nst.layers import LAYERS
from nst.places import COMMAND, install_extra
from nst.preset_files import own_presets, presets
from nst.run.input_files import samples

FILES = ("PATH", "FILE", "FOLDER", "RESULT", "WHERE", "WHAT")  # Metavars that stand for a file.
PICTURES = ("CONTENT", "STYLE")  # Metavars that stand for a file or a sample.
LAYER = "LAYER[:WEIGHT]"
SHELLS = ("bash", "zsh", "fish", "tcsh")
FUNCTION = "_neural_art_pictures"  # Completes files and samples.
WITH_PYTHON = """
# For "python neural_art.py". This takes the place of another completion for python: leave it out where there is one.
_neural_art_with_python() {{
  COMPREPLY=()
  if [[ "${{COMP_WORDS[1]##*/}}" == neural_art.py && $COMP_CWORD -gt 1 ]]; then
    COMP_WORDS=("${{COMP_WORDS[@]:1}}")
    COMP_CWORD=$((COMP_CWORD - 1))
    {function}
  fi
}}
complete -o bashdefault -o default -F _neural_art_with_python python python3
"""


def completion(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return a script for a shell. Raises UserError where shtab is not installed, or does not know the shell."""
    try:
        import shtab
    except ImportError as error:
        raise UserError(f"--completion: needs shtab; {install_extra('completion')}") from error
    if shell not in shtab.SUPPORTED_SHELLS:
        raise UserError(f"--completion {shell}: needs a newer shtab; {install_extra('completion')}")
    for action in parser._actions:
        _explain(action, shtab.FILE)
    names = " ".join(samples())
    preamble = {
        "bash": f'{FUNCTION}() {{ compgen -f -- "$1"; compgen -W "{names}" -- "$1"; }}',
        "zsh": f"{FUNCTION}() {{ _files; compadd -- {names}; }}",
    }
    script = str(shtab.complete(parser, shell, preamble=preamble))
    if shell == "fish":
        script += "".join(f"complete -c {COMMAND[-1]} -a {name}\n" for name in samples())
    if shell == "bash" and len(COMMAND) > 1:
        script += WITH_PYTHON.format(function=f"_shtab_{COMMAND[-1].replace('.', '_')}")
    return script


def _explain(action: Any, files: dict[str, str]) -> None:
    """Tell shtab the possible values of an option."""
    if action.metavar in PICTURES:
        action.complete = {**files, "bash": FUNCTION, "zsh": FUNCTION}
    elif action.metavar in FILES:
        action.complete = files
    elif action.metavar == LAYER:
        action.choices = list(LAYERS)
    elif action.dest == "preset":
        action.choices = [*presets(), *own_presets()]
    elif isinstance(action.metavar, str) and "|" in action.metavar:
        action.choices = action.metavar.split("|")
