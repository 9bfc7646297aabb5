#!/usr/bin/env python3
"""Redraw a photo in the style of a painting: python neural_art.py content.jpg style.jpg"""

import argparse
import signal
import sys
from typing import NoReturn

import nst
from nst.errors import UserError, suggestion
from nst.settings import Settings, add_flags, make_settings, presets

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
    parser.add_argument("content", metavar="CONTENT", help="the photo: a file, or the name of a sample in images/")
    parser.add_argument("style", metavar="STYLE", help="the painting, likewise")
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="the result; .png .jpg .webp .tif [output/CONTENT_STYLE.png]"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing -o")
    purposes = "; ".join(f"{name}: {purpose}" for name, (purpose, _) in presets().items())
    parser.add_argument("--preset", default="default", metavar="|".join(presets()), help=f"{purposes} [default]")
    parser.add_argument("--plot", action="store_true", help="also plot the costs to losses.png (needs matplotlib)")
    parser.add_argument("--verbose", action="store_true", help="show what TensorFlow says")
    parser.add_argument("--version", action="version", version=f"neural_art {nst.__version__}")
    add_flags(parser)
    return parser


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        arguments = vars(make_parser().parse_args(words))
        from nst.job import plan_job, run_job  # NumPy, Pillow and SciPy, which --help does not need

        overrides = {name: value for name, value in arguments.items() if name in Settings.__dataclass_fields__}
        settings = make_settings(arguments["preset"], overrides)
        files = {name: arguments[name] for name in ("output", "overwrite", "plot")}
        job = plan_job(arguments["content"], arguments["style"], settings, **files)
        print(run_job(job, verbose=arguments["verbose"]))
    except UserError as error:
        print(f"neural_art: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt as error:
        again = isinstance(error.__context__, KeyboardInterrupt)  # a second signal, while the picture was being saved
        saved = "the picture so far is not saved" if again else "the picture so far is saved, if a first step was done"
        print(f"neural_art: stopped; {saved}", file=sys.stderr)
        return SIGNALLED + (error.args[0] if error.args else signal.SIGINT)
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
