"""The flags of the command line, made from the table of call options and from Settings."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NoReturn

import nst
from nst.call_options import OPTIONS, CallOption
from nst.command.short_help import short_help
from nst.errors import UserError, suggestion
from nst.options import ELSEWHERE, GONE, LISTS, METAVARS, default_words, field_name, flag, option_of
from nst.places import COMMAND
from nst.preset_files import DEFAULT_PRESET, presets
from nst.settings import Settings

POSITIONALS = ("content", "style")


class _ShortHelp(argparse.Action):
    """Print the short help and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser._print_message(short_help(), sys.stdout)
        parser.exit()


class Parser(argparse.ArgumentParser):
    """The parser of argparse, whose errors are one line like all others."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse words. In some versions, argparse fails at a value of two hyphens alone."""
        for word in args or ():
            name, _, value = word.partition("=")
            if value == "--" and name.startswith("--"):
                self.error(f"argument {name}: expected a value, not --")
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        name = unknown.split("=")[0].lstrip("-").replace("_", "-").lower()
        gone = GONE.get(field_name(name.removeprefix("no-")))
        if gone and unknown.startswith("--"):
            raise UserError(f"{unknown}: {gone}")
        here = next((here for here, names in ELSEWHERE.items() if name in names), None)
        if here and unknown.startswith("-"):
            raise UserError(f"{unknown}: is {here} here; see --help")
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        hint = suggestion(unknown, flags) if unknown.startswith("--") else ""
        raise UserError(f"{message}{hint}; see --help")


def make_parser() -> argparse.ArgumentParser:
    """Return the command's parser: an argument for each option of a call, then a flag for each of the Settings."""
    parser = Parser(
        add_help=False,
        prog=COMMAND[-1],
        description="Redraw CONTENT, a photo, in the style of STYLE, a painting. Prints the path of the result.",
        epilog=f"Example: {' '.join(COMMAND)} cat.jpg stone.jpg --size 1024 -o cat.png",
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action=_ShortHelp, nargs=0, help="show the most useful options and exit")
    batch = parser.add_argument_group("many pictures")
    for name, option in OPTIONS.items():
        _add_option(batch if option.batch else parser, name, option)
    parser.add_argument("-V", "--version", action="version", version=f"neural_art {nst.__version__}")
    add_flags(parser)
    return parser


def _add_option(group: argparse._ActionsContainer, name: str, option: CallOption) -> None:
    """Add an option of a call. An option that a file may hold too leaves no trace where it is not given."""
    choices = tuple(presets()) if name == "preset" else tuple((option.metavar or "").split("|"))
    shown: dict[str, Any] = {"help": option.help, "metavar": option.metavar}
    if name == "preset":
        purposes = "; ".join(f"{preset}: {purpose}" for preset, (purpose, _) in presets().items())
        shown |= {"help": f"{purposes}; or one of your own [{DEFAULT_PRESET}]", "metavar": "|".join(choices)}
    elif option.kind == "switch":
        on_by_default = option.help.endswith("[on]")
        shown = {"help": option.help, "action": argparse.BooleanOptionalAction if on_by_default else "store_true"}
    elif option.kind == "number":
        shown["type"] = int
    elif len(choices) > 1:
        shown["choices"] = choices
    if option.in_file:
        shown["default"] = argparse.SUPPRESS
    if name in POSITIONALS:
        action = group.add_argument(name, nargs="+" if option.kind == "texts" else None, **shown)
        action.required = False  # A file may name the pictures; nargs="?" would not allow flags in between.
        return
    if option.kind == "texts":
        shown["action"] = "append"
    group.add_argument(*([option.short] if option.short else []), flag(name), **shown)


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
