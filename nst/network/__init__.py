"""VGG19 as a fixed, differentiable function of an image, loaded once and kept.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    device.py           [0] the device that computes, its fast type and its memory
    quick_import.py     [0] TensorFlow's import without what is not used
    tensorflow_setup.py [1] TensorFlow's environment, messages and threads
    weights.py          [0] weights from four kinds of file
    operations.py       [0] the operations of layers, by tf.raw_ops
    winograd.py         [1] the 3x3 convolution, by Winograd's filtering where that is faster
    vgg19.py            [2] the network, in segments of blocks
    loaded.py           [3] the network that the settings ask for, kept for the next picture

layer          A convolution of VGG19 with its ReLU, such as conv4_2; see layers.py.
block          The layers between two poolings, numbered from 1 to 5. Each pooling halves the picture.
weights        For each layer its kernel [3, 3, in, out] and its bias [out].
activation     The output of a layer after ReLU: [height, width, channels] or, where no place matters, [positions,
               channels].
position       A place in an activation. Positions are 1, 2, 4, 8 or 16 px of the picture apart, by the block.
cell           The square of the picture's pixels that belongs to a position.
segment        Consecutive blocks that are computed on their own: blocks 1 to 3, block 4, and block 5.
reach          The distance in px beyond its own cell that an activation sees in its segment's input.
grid           The number of px at whose multiples tiles of a large picture may start.
precision      The type of the convolutions: float32, bfloat16 or float16.
Winograd tile  A square of 2 x 2 or 4 x 4 positions that Winograd's filtering computes at once. The tiles of
               large pictures, see transfer/tiles.py, are another thing.
"""
