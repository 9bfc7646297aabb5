"""Style transfer itself: arrays in, an array out. No files, no printing.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    inputs.py          [2] the pictures and settings of a run together
    preserved_photo.py [3] what a picture keeps of the photo: its colours, and its pixels under a mask
    photo_maps.py      [0] where the photo has something to keep: its structure and its subject
    masks.py           [3] where each style belongs: its share of each pixel, and the weights of a layer's positions
    scales.py          [0] the sizes of a run, coarse to fine, and the steps of each
    style_loss.py      [0] what of a layer's activations is compared as style
    losses.py          [1] the costs as pure functions: content, style, match, structure of colours, total variation
    tiles.py           [0] where the tiles of a large picture lie
    tile_walk.py       [1] the network applied tile by tile, forward and backward
    known_image.py     [3] an image as the key of what is kept of it for the next picture; the styles as such
    places.py          [2] the places of a picture and their hypercolumns
    statistics.py      [4] the statistics of an image, whole or with weights of positions
    matching.py        [5] the place of the style that is most like each place of the picture
    targets.py         [3] the targets of a picture at a scale, as the graphs take them
    style_parts.py     [6] the parts of a picture that are compared with the styles each on its own
    view.py            [7] the targets made: from the photo, the styles, the maps and the match
    cost.py            [5] the cost of a picture in one piece against its targets, with the gradient
    tiled_cost.py      [6] the cost of a picture in tiles, with the same result
    objective.py       [7] evaluate(image) -> costs by name and gradient, at one scale
    strip_bands.py     [0] the bands of pyramid.py for a picture in tiles, walked in strips
    pyramid.py         [1] the bands in which Adam takes its steps
    schedule.py        [1] the fraction of a scale's steps done: by number, by time, by gain
    state.py           [0] a step, and all that is needed to resume after it
    descending.py      [2] what the optimisers share
    adam_in_strips.py  [8] Adam for pictures in tiles
    optimizers.py      [9] Adam and L-BFGS-B (SciPy) over one `evaluate`
    first_picture.py   [4] the picture with which a run starts
    upscaling.py       [0] a picture at the next finer scale, with fine detail of the photo
    style_detail.py    [7] the styles' own fine detail at the matched places, with which a scale begins
    estimate.py        [8] about how long a run takes, from one measured step
    stylize.py         [10] the loop over the scales; tells listeners each step

photo, content  The picture that is redrawn. `content` alone always means the photo.
style           A picture in whose manner the photo is redrawn. Several styles are blended, or each has its mask.
mask            [height, width] in [0, 1]: 1 where a style belongs, or where the photo may change.
share           A style's share of a pixel, in [0, 1]: its weight in a blend, or the value of its mask.
scale           One size at which the picture is optimised, with its number of steps. Scales go coarse to fine.
fine detail     The part of a picture that is lost when it is reduced to the coarser scale and enlarged again.
settled         True of a scale that starts from a coarser scale's picture: only fine detail is left to be made.
map             How much of something there is at each pixel of the photo, [height, width] in [0, 1].
plain           True of a place where the photo has nothing to keep, such as a sky. There the style composes.
subject         What the network sees most of in the photo: a face, an animal, a building.
place           A square of the picture with one hypercolumn.
hypercolumn     The activations of several layers at one place.
match           For each place of the picture, the place of the style that is most like it.
candidate       A place of a style that may be matched.
statistics      Means over the positions of a layer's activations, such as the Gram matrix. They hold the style.
target          Activations of the photo, or statistics of the styles, with which the picture is compared.
region          A style, or a blend of styles, and where it belongs. Styles whose masks are in proportion are a blend.
shown           Of a style: where it counts. What is not shown has no part in statistics, match and colours.
reading         What the cost needs of one layer, taken as the picture passes through the network.
part            Of a region: the plain part, or the rest. Each is compared with the style on its own.
view            The picture at one size, with its targets there.
cost            The costs of content, style, match, structure of colours and total variation; their weighted sum is the
                total.
evaluate        The function from an image to its costs by name and the gradient of the total.
tile            A part of a large picture that the network computes at once: a core and a halo around it.
core            The part of a tile that belongs to this tile alone. The cores cover the picture once.
halo            The border of a tile, so wide that activations in the core are as in the whole picture.
walk            The network applied to all tiles, segment by segment (see network/), forward or backward.
chain           Gradients carried backward together. With regions, the content and each region have one chain each.
band            A picture of shapes of about one size. Bands go fine to coarse, each half as large as the one before.
pyramid         The linear map from bands to the picture. Adam steps in the bands; settings.basis chooses the pyramid.
descent         Where an optimiser is within a scale: the picture, the costs so far, and its memory.
state           Where a run is: the scale, the steps done, and the descent. A run resumes from it.
"""
