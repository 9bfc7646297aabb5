"""Where the program's own files are: in a clone beside the package, installed within it; and how the command is called.

A clone has its results in its output/, an installed command in output/ of the current folder.
"""

from pathlib import Path

from nst.system.shell import shell_words

_PACKAGE = Path(__file__).resolve().parent
INSTALLED = (_PACKAGE / "pretrained_model").is_dir()  # pyproject.toml maps the folders of a clone into the package.

WEIGHTS = _PACKAGE / "pretrained_model" if INSTALLED else _PACKAGE.parent / "pretrained-model"
SAMPLES = _PACKAGE / "samples" if INSTALLED else _PACKAGE.parent / "images"
OUTPUT = Path("output") if INSTALLED else _PACKAGE.parent / "output"
INSTALL = "pip install neural-art" if INSTALLED else "pip install -r requirements.txt"
COMMAND = ("neural_art",) if INSTALLED else ("python", "neural_art.py")


def command_line(*words: str) -> str:
    """Return the words of a call of the command, as a user types them in a shell."""
    return shell_words([*COMMAND, *words])


def install_extra(name: str) -> str:
    """Return the command that installs what an extra needs, such as 'plots'; see requirements-*.txt."""
    return f'pip install "neural-art[{name}]"' if INSTALLED else f"pip install -r requirements-{name}.txt"
