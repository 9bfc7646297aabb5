#!/usr/bin/env python3
"""Redraw a photo in the style of a painting: python neural_art.py content.jpg style.jpg"""

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import nst
from nst.errors import RunError, UserError, suggestion
from nst.settings import add_flags, presets

if TYPE_CHECKING:
    from nst.config import Call

DONE, FAILED, USER_ERROR, SIGNALLED = 0, 1, 2, 128


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
        "content", metavar="CONTENT", default=absent, help="the photo: a file, or the name of a sample in images/"
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
        help="the result; .png .jpg .webp .tif [output/CONTENT_STYLE.png]",
    )
    parser.add_argument("--overwrite", action="store_true", default=absent, help="replace an existing -o")
    purposes = "; ".join(f"{name}: {purpose}" for name, (purpose, _) in presets().items())
    parser.add_argument("--preset", default=absent, metavar="|".join(presets()), help=f"{purposes} [default]")
    parser.add_argument(
        "--plot", action="store_true", default=absent, help="also plot the costs to losses.png (needs matplotlib)"
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
    parser.add_argument("--list-presets", action="store_true", help="print what each preset changes and exit")
    parser.add_argument("--list-layers", action="store_true", help="print VGG19's layers and exit")
    parser.add_argument("--version", action="version", version=f"neural_art {nst.__version__}")
    add_flags(parser)
    return parser


def run(arguments: dict[str, Any]) -> None:
    """Do what the parsed arguments ask for and print what comes of it. Raises UserError."""
    from nst import config

    if arguments["list_presets"]:
        print(config.presets_text())
    elif arguments["list_layers"]:
        print(config.layers_text())
    elif arguments["print_config"]:
        print(config.config_text(config.read_call(arguments).settings))
    else:
        make_picture(config.read_call(arguments))


def make_picture(call: "Call") -> None:
    """Make the picture, print its path, and warn where it may differ from the one that its settings are from."""
    from nst.config import find_inputs, network_warnings, read_record, version_warnings
    from nst.job import plan_job, run_job  # NumPy, Pillow and SciPy, which nothing else needs

    job = plan_job(*find_inputs(call), output=call.output, overwrite=call.overwrite, plot=call.plot, resume=call.resume)
    warn(call.warnings)
    if call.record:
        warn(version_warnings(call.record))
    print(run_job(job, verbose=call.verbose))
    if call.record:
        warn(network_warnings(call.record, read_record(job.folder / "settings.json")))


def warn(lines: Sequence[str]) -> None:
    """Tell what the user should know of a run that goes on."""
    for line in lines:
        print(f"neural_art: {line}", file=sys.stderr)


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        run(vars(make_parser().parse_args(words)))
    except UserError as error:
        print(f"neural_art: {error}", file=sys.stderr)
        return USER_ERROR
    except RunError as error:
        print(f"neural_art: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt as error:
        number = error.args[0] if error.args else signal.SIGINT
        state = error.args[1] if len(error.args) > 1 else "the first step was not done yet"
        print(f"neural_art: stopped; {state}", file=sys.stderr)
        return SIGNALLED + number
    except OSError as error:
        print(f"neural_art: {error.filename or 'file'}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    return DONE


def stop(number: int, frame: object) -> NoReturn:
    """Turn a signal into what Ctrl-C raises, so that one path saves the picture."""
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
