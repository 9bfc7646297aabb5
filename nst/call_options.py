"""The options of a call that are not settings, each written once: its help, and where it may be given.

The command's parser, the readers of files and the checks of a call follow from this table.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CallOption:
    """An option of the command that is not a setting of a picture.

    kind            text; texts, a list of texts; number, a whole one; or switch, on or off
    metavar         the value's name in --help; words with | between them are the only values
    in_file         whether a file for --config and a row of --batch may hold the option
    with_resume     whether the option goes with --resume
    sweepable       whether --sweep may go through values of the option
    same_for_batch  whether the option is the same for all pictures of a batch, so that no row may hold it
    batch           "makes" for an option that asks for a batch, "needs" for one that only a batch can have, and
                    "shares" for one that only a batch or a clip can have
    prints          whether the option prints something and makes no picture
    short           a flag of one letter
    """

    kind: str
    help: str
    metavar: str | None = None
    in_file: bool = False
    with_resume: bool = False
    sweepable: bool = False
    same_for_batch: bool = False
    batch: str = ""
    prints: bool = False
    short: str = ""


OPTIONS: dict[str, CallOption] = {
    "content": CallOption(
        "text",
        "the photo: a file, the name of a sample (see --list-samples), or - for stdin; a folder or a quoted pattern "
        "stands for many photos",
        "CONTENT",
        in_file=True,
        sweepable=True,
    ),
    "style": CallOption(
        "texts",
        "the painting, likewise; several styles, or a folder of them, are blended",
        "STYLE",
        in_file=True,
        sweepable=True,
    ),
    "output": CallOption(
        "text",
        "the result, .png .jpg .webp .tif, or - for stdout; or a folder for it; for many pictures, their folder; "
        "for a clip, see docs/clips.md "
        "[output/CONTENT_STYLE.png]",
        "PATH",
        in_file=True,
        short="-o",
    ),
    "overwrite": CallOption("switch", "replace an existing -o", in_file=True),
    "preset": CallOption("text", "", in_file=True, sweepable=True),
    "plot": CallOption(
        "switch", "also plot the costs to losses.png (needs matplotlib)", in_file=True, with_resume=True
    ),
    "report": CallOption(
        "switch",
        "write report.html: pictures with a slider to compare, costs, times, settings [on]",
        in_file=True,
        with_resume=True,
    ),
    "watch": CallOption(
        "switch",
        "show the growing picture in a browser on this machine",
        in_file=True,
        with_resume=True,
        same_for_batch=True,
    ),
    "watch_port": CallOption(
        "number", "port for --watch; 0 for a free one [0]", "N", in_file=True, with_resume=True, same_for_batch=True
    ),
    "watch_host": CallOption(
        "text",
        "address for --watch; any other than this lets other machines look on [127.0.0.1]",
        "HOST",
        in_file=True,
        with_resume=True,
        same_for_batch=True,
    ),
    "open": CallOption(
        "switch",
        "open the report at the end, or the result where there is no report; with --watch, the page of the growing "
        "picture",
        with_resume=True,
    ),
    "json": CallOption("switch", "print results, progress and errors as JSON for programs; see docs/programs.md"),
    "quiet": CallOption("switch", "show no progress, but still warnings and errors", short="-q"),
    "dry_run": CallOption("switch", "check everything, print what would be done, write nothing and exit"),
    "verbose": CallOption("switch", "show TensorFlow's own messages", in_file=True, with_resume=True),
    "config": CallOption("text", "a TOML file with any of these flags by name; flags on the command line win", "FILE"),
    "settings_from": CallOption(
        "text",
        "take settings and inputs from an earlier result, its picture or its settings.json, instead of from a preset",
        "RESULT",
    ),
    "resume": CallOption(
        "text", "resume a stopped run, named by its picture or its folder, as output/cat_stone", "RESULT"
    ),
    "print_config": CallOption("switch", "print the settings as a file for --config and exit", prints=True),
    "batch": CallOption(
        "text",
        "make a picture for each row of a .toml, .csv or .jsonl file; rows hold any flags by name",
        "FILE",
        batch="makes",
    ),
    "each_style": CallOption(
        "switch", "make a picture in each STYLE instead of a blend of them", in_file=True, batch="makes"
    ),
    "as_clip": CallOption(
        "switch",
        "take an animated picture, or a folder of pictures, as one clip; videos and numbered pictures are clips anyway",
        in_file=True,
    ),
    "recursive": CallOption(
        "switch",
        "take the photos in the folders within CONTENT too; the results lie in folders of the same names",
        in_file=True,
        batch="needs",
    ),
    "sweep": CallOption(
        "texts",
        "make a picture for each value of a setting, as style-weight=20,40, and a contact sheet; may be given again",
        "NAME=V1,V2",
        batch="makes",
    ),
    "force": CallOption("switch", "make finished pictures anew too", batch="needs"),
    "list": CallOption("switch", "print the pictures of the batch with their states and exit", batch="needs"),
    "workers": CallOption(
        "number", "share the pictures, or the scenes of a clip, among N processes", "N", batch="shares"
    ),
    "dask": CallOption(
        "text",
        "share the pictures, or the scenes of a clip, among the workers of a running Dask cluster",
        "ADDRESS",
        batch="shares",
    ),
    "dask_resource": CallOption(
        "texts",
        "a resource that a Dask worker must offer to take a picture, as GPU=1; may be given again",
        "NAME=X",
        batch="shares",
    ),
    "list_presets": CallOption("switch", "print what each preset changes and exit", prints=True),
    "list_samples": CallOption("switch", "print the names of the sample pictures and exit", prints=True),
    "help_all": CallOption("switch", "show all options and exit", prints=True),
    "list_layers": CallOption("switch", "print VGG19's layers and exit", prints=True),
    "completion": CallOption(
        "text", "print what completes flags and files in a shell and exit", "bash|zsh|fish|tcsh", prints=True
    ),
}


def names_with(attribute: str) -> list[str]:
    """Return the names of the options for which an attribute of CallOption is true."""
    return [name for name, option in OPTIONS.items() if getattr(option, attribute)]
