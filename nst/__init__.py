"""Neural style transfer: redraw a photo in the style of a painting.

The modules in pipeline order. The number is a layer: a module imports only modules with a lower number.

    errors.py         [0] UserError: what the user can mend, in words; shown without a traceback
    layers.py         [1] the layers of VGG19: names in three spellings, channels, "NAME:WEIGHT"
    entry.py          [0] what became of a picture of a batch
    files.py          [1] files appear whole or not at all; text, TOML and hashes of files
    runtime.py        [0] TensorFlow's surroundings: chatter, threads, fast types
    signals.py        [0] a first Ctrl-C or SIGTERM waits for the end of a step
    convolution.py    [1] the 3x3 convolution, by Winograd where that is faster
    alpha.py          [0] transparency: over white, and colours where there are none
    color_profiles.py [0] ICC profiles: to sRGB, and sRGB's own
    metadata.py       [0] resolution, EXIF worth keeping, a comment of the program's own
    deep_files.py     [0] 16 bits a channel: read the lower byte, write PNG and TIFF
    decoding.py       [1] Pillow's formats, modes and errors made one
    image_io.py       [2] read, write, resize pictures: these six alone know picture files. No TensorFlow.
    color.py          [0] one picture's colours moved onto another's, and kept. No TensorFlow.
    settings.py       [2] Settings: every default with type, range and help; presets; flags and JSON from them
    vgg19.py          [2] weights from four kinds of file, and the network
    losses.py         [2] gram_matrix, what is compared of a style, content_cost, total_variation
    masks.py          [3] the pictures of a run together, and which style belongs where
    scales.py         [3] how large the picture is at each scale, coarse to fine, and how many steps it gets
    memory.py         [4] how much memory a run takes, and whether the machine has it
    pace.py           [4] how much of a scale is behind, by steps, by time and by what steps still gain
    detail.py         [4] the fine detail with which a finer scale starts: the photo's and the style's
    tiling.py         [3] where the tiles of a large picture lie. No TensorFlow.
    walk.py           [4] the walk through the network over tiles, forward and back
    measure.py        [5] the cost of a picture against its targets with its gradient, whole or tile by tile
    basis.py          [4] the bands of detail in which Adam takes its steps
    objective.py      [6] targets made once per scale; evaluate(image) -> costs by name and gradient
    optimizers.py     [7] Adam and L-BFGS-B (SciPy) over one `evaluate`
    state.py          [4] where a run is: a step, and all that is needed to go on from it
    stylize.py        [8] first picture, the loop over the scales; reports steps. No files, no printing.
    checkpoint.py     [5] the whole state of a run in its folder, and back
    report.py         [5] progress, losses.csv, loss plot, settings.json
    chart.py          [5] the costs as lines on a logarithmic axis, as a page draws them
    page.py           [6] report.html of a run, and the page of a batch: one file each, made from templates/
    results.py        [7] all that a run writes, and what becomes of it where it cannot be written
    live.py           [7] what is to be seen of the run that goes on
    watch.py          [8] and what shows it to browsers on this machine
    job.py            [9] one picture: files in -> stylize -> files out
    manifest.py       [2] what a batch has done so far, line by line
    sheet.py          [3] a sweep's pictures in rows and columns, with their names
    workers.py       [10] who makes a batch's pictures: this process, others here, or a Dask cluster
    api.py           [10] redraw: arrays in, an array out, for other programs
    config.py        [10] what a call asks for: flags over a TOML file over an earlier result's record or a preset
    rows.py          [11] the rows of a batch file, and the settings that a sweep goes through
    plan.py          [12] a batch's pictures with their inputs, settings and names, and which are done already
    batch.py         [13] many pictures: handed out, collected, written down; what is left when it is stopped
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
PUBLIC = {
    "redraw": "api",
    "Settings": "settings",
    "make_settings": "settings",
    "UserError": "errors",
    "read_image": "pictures.picture_files",
    "write_picture": "pictures.picture_files",
}
__all__ = list(PUBLIC)


def __getattr__(name: str) -> Any:
    """Return what `from nst import ...` asks for, imported only now: TensorFlow takes seconds."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nst.{PUBLIC[name]}"), name)
