"""TODO."""

import argparse
from dataclasses import fields
from typing import Any, NoReturn

import nst
from nst.errors import UserError, suggestion
from nst.settings import LISTS, METAVARS, Settings, default_words, flag, option_of, presets

FILES = ("CONTENT", "STYLE", "PATH", "FILE", "FOLDER", "RESULT", "WHERE", "WHAT")  # metavars that stand for a file
SHELLS = ("bash", "zsh", "tcsh")


class Parser(argparse.ArgumentParser):
    """argparse, with its errors in one line like all others."""

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        hint = suggestion(unknown, flags) if unknown.startswith("--") else ""
        raise UserError(f"{message}{hint}; see --help")


def make_parser() -> argparse.ArgumentParser:
    """Return the command's parser: the positionals, the flags of one call, and a flag for each of the Settings."""
    parser = Parser(
        prog="neural_art.py",
        description="Redraw CONTENT, a photo, in the style of STYLE, a painting. Prints the path of the result.",
        epilog="Example: python neural_art.py cat.jpg stone.jpg --size 1024 -o cat.png",
        allow_abbrev=False,
    )
    absent = argparse.SUPPRESS  # what is not given leaves no trace, so that a file can say it
    content = parser.add_argument(
        "content",
        metavar="CONTENT",
        default=absent,
        help="the photo: a file, or the name of a sample in images/; of a folder or a quoted pattern, each",
    )
    style = parser.add_argument(
        "style",
        metavar="STYLE",
        nargs="+",
        default=absent,
        help="the painting, likewise; several, or a folder of them, are blended",
    )
    content.required = style.required = False  # a file may name them; nargs="?" would not allow flags in between
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default=absent,
        help="the result; .png .jpg .webp .tif; of many pictures, their folder [output/CONTENT_STYLE.png]",
    )
    parser.add_argument("--overwrite", action="store_true", default=absent, help="replace an existing -o")
    purposes = "; ".join(f"{name}: {purpose}" for name, (purpose, _) in presets().items())
    parser.add_argument("--preset", default=absent, metavar="|".join(presets()), help=f"{purposes} [default]")
    parser.add_argument(
        "--plot", action="store_true", default=absent, help="also plot the costs to losses.png (needs matplotlib)"
    )
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=absent,
        help="write report.html: pictures with a slider to compare, costs, times, settings [on]",
    )
    parser.add_argument(
        "--watch", action="store_true", default=absent, help="show the picture as it grows to a browser on this machine"
    )
    parser.add_argument(
        "--watch-port", metavar="N", type=int, default=absent, help="port for --watch; 0 for one that is free [0]"
    )
    parser.add_argument(
        "--watch-host",
        metavar="HOST",
        default=absent,
        help="address for --watch; any other than this lets other machines look on [127.0.0.1]",
    )
    parser.add_argument("--json", action="store_true", help="tell all in JSON, for other programs; see README.md")
    parser.add_argument("--quiet", action="store_true", help="show no progress, but still warnings and errors")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print what would be done, write nothing and exit"
    )
    parser.add_argument("--verbose", action="store_true", default=absent, help="show what TensorFlow says")
    parser.add_argument("--config", metavar="FILE", help="a TOML file with any of these flags by name; flags given win")
    parser.add_argument(
        "--settings-from",
        metavar="RESULT",
        help="settings and inputs of an earlier result, in place of a preset: its picture or its settings.json",
    )
    parser.add_argument(
        "--resume",
        metavar="FOLDER",
        help="go on with a run that was stopped, from the checkpoint in its folder, as output/cat_stone",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print the settings as a file for --config and exit"
    )
    add_batch_flags(parser)
    parser.add_argument("--list-presets", action="store_true", help="print what each preset changes and exit")
    parser.add_argument("--list-layers", action="store_true", help="print VGG19's layers and exit")
    parser.add_argument(
        "--completion",
        choices=SHELLS,
        metavar="|".join(SHELLS),
        help="print what completes flags and files in a shell and exit",
    )
    parser.add_argument("--version", action="version", version=f"neural_art {nst.__version__}")
    add_flags(parser)
    return parser


def add_batch_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of many pictures."""
    group = parser.add_argument_group("many pictures")
    group.add_argument(
        "--batch", metavar="FILE", help="a picture for each row of a .toml, .csv or .jsonl file of any flags by name"
    )
    group.add_argument(
        "--each-style",
        action="store_true",
        default=argparse.SUPPRESS,
        help="a picture in each STYLE instead of a blend of them",
    )
    group.add_argument(
        "--sweep",
        metavar="NAME=V1,V2",
        action="append",
        help="a picture for each value of a setting, as style-weight=20,40, and a contact sheet; may be given again",
    )
    group.add_argument("--force", action="store_true", help="make also those pictures anew that are done")
    group.add_argument("--list", action="store_true", help="print which pictures there are to make and exit")
    group.add_argument("--workers", type=int, metavar="N", help="share the pictures among N processes")
    group.add_argument("--dask", metavar="ADDRESS", help="share them among the workers of a running Dask cluster")
    group.add_argument(
        "--dask-resource",
        metavar="NAME=X",
        action="append",
        help="what a Dask worker must offer to take a picture, as GPU=1; may be given again",
    )


def completion(shell: str) -> str:
    """Return a script for a shell that completes this command's flags, their choices, and files."""
    try:
        import shtab
    except ImportError as error:
        raise UserError("--completion: needs shtab; pip install -r requirements-completion.txt") from error
    parser = make_parser()
    for action in parser._actions:
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif isinstance(action.metavar, str) and "|" in action.metavar:
            action.choices = action.metavar.split("|")
    return str(shtab.complete(parser, shell))


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each field, grouped. A flag that is not given leaves no trace in the parsed arguments."""
    groups: dict[str, Any] = {}
    for item in fields(Settings):
        option = option_of(item)
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        shown: dict[str, Any] = {"default": argparse.SUPPRESS, "help": f"{option.help} [{default_words(item)}]"}
        if option.kind == "bool":
            shown["action"] = argparse.BooleanOptionalAction
        else:
            shown["metavar"] = option.metavar or "|".join(map(str, option.choices)) or METAVARS[option.kind]
            shown["nargs"] = "+" if option.kind in LISTS else None
        groups[option.group].add_argument(flag(item.name), **shown)
