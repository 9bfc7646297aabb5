"""Style transfer itself: arrays in, an array out. No files, no printing.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    inputs.py          [0] the pictures and settings of a run together
    preserved_photo.py [1] what a picture keeps of the photo: its colours, and its pixels under a mask
    masks.py           [1] where each style belongs: its share of each pixel, and the weights of a layer's positions
    scales.py          [0] the sizes of a run, coarse to fine, and the steps of each
    losses.py          [0] gram_matrix, the statistics of a style and their costs, content_cost, total_variation
    tiles.py           [0] where the tiles of a large picture lie
    tile_walk.py       [1] the network applied tile by tile, forward and backward
    targets.py         [2] the targets of a picture at a scale
    cost.py            [3] the cost of a picture in one piece against its targets, with the gradient
    tiled_cost.py      [4] the cost of a picture in tiles, with the same result
    objective.py       [5] evaluate(image) -> costs by name and gradient, at one scale
    pyramid.py         [1] the bands in which Adam takes its steps
    schedule.py        [1] the fraction of a scale's steps done: by number, by time, by gain
    state.py           [0] a step, and all that is needed to resume after it
    optimizers.py      [6] Adam and L-BFGS-B (SciPy) over one `evaluate`
    first_picture.py   [2] the picture with which a run starts
    upscaling.py       [2] a picture at the next finer scale, with fine detail
    estimate.py        [6] about how long a run takes, from one measured step
    stylize.py         [7] the loop over the scales; tells listeners each step

photo, content  The picture that is redrawn. `content` alone always means the photo.
style           A picture in whose manner the photo is redrawn. Several styles are blended, or each has its mask.
mask            [height, width] in [0, 1]: 1 where a style belongs, or where the photo may change.
share           A style's share of a pixel, in [0, 1]: its weight in a blend, or the value of its mask.
scale           One size at which the picture is optimised, with its number of steps. Scales go coarse to fine.
fine detail     The part of a picture that is lost when it is reduced to the coarser scale and enlarged again.
settled         True of a scale that starts from a coarser scale's picture: only fine detail is left to be made.
stroke          Fine detail of a style, put where the photo is plain.
statistics      Means over the positions of a layer's activations, such as the Gram matrix. They hold the style.
target          Activations of the photo, or statistics of the styles, with which the picture is compared.
region          A style, or a blend of styles, with its targets and the place where it belongs.
guide           The place of a region: the style's share of each pixel, or the weights of a layer's positions.
view            The picture at one size, with its targets there.
copy            The picture reduced to the size of a coarser scale. The cost is the mean over all views.
cost            The content cost, the style cost, their weighted sum as the total, and total variation.
evaluate        The function from an image to its costs by name and the gradient of the total.
tile            A part of a large picture that the network computes at once: a core and a halo around it.
core            The part of a tile that belongs to this tile alone. The cores cover the picture once.
halo            The border of a tile, so wide that activations in the core are as in the whole picture.
walk            The network applied to all tiles, segment by segment (see network/), forward or backward.
chain           Gradients carried backward together. With guides, the content and each region have one chain each.
band            A picture of shapes of about one size. Bands go fine to coarse, each half as large as the one before.
pyramid         The linear map from bands to the picture. Adam steps in the bands; settings.basis chooses the pyramid.
descent         Where an optimiser is within a scale: the picture, the costs so far, and its memory.
state           Where a run is: the scale, the steps done, and the descent. A run resumes from it.
"""
