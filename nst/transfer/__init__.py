"""Style transfer itself: arrays in, an array out. No files, no printing.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    inputs.py        [0] the pictures of a run together
    masks.py         [1] which style belongs where, at each pixel and each layer
    scales.py        [0] the sizes of a run, coarse to fine, and the steps of each
    losses.py        [0] gram_matrix, the statistics of a style and their costs, content_cost, total_variation
    tiles.py         [0] where the tiles of a large picture lie
    tile_walk.py     [1] the network applied tile by tile, forward and back
    targets.py       [2] what the picture is compared with at a scale
    cost.py          [3] the cost of a picture in one piece against its targets, with the gradient
    tiled_cost.py    [4] the same in tiles
    objective.py     [5] evaluate(image) -> costs by name and gradient, at one scale
    preserved_photo.py [1] what a picture keeps of the photo: its colours, and its pixels under a mask
    pyramid.py       [1] the bands of detail in which Adam takes its steps
    schedule.py      [1] the fraction of a scale's steps done: by number, by time, by gain
    state.py         [0] a step, and all that is needed to resume after it
    optimizers.py    [6] Adam and L-BFGS-B (SciPy) over one `evaluate`
    first_picture.py [2] the picture with which a run starts
    upscaling.py     [2] a picture at the next finer scale, with fine detail
    estimate.py      [6] about how long a run takes, from one measured step
    stylize.py       [7] the loop over the scales; tells listeners each step
"""
