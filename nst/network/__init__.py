"""VGG19 as a fixed, differentiable function of an image, loaded once and kept.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    tensorflow_setup.py [0] TensorFlow's environment, threads, and the fast types of the processor
    weights.py          [0] weights from four kinds of file
    winograd.py         [0] the 3x3 convolution, by Winograd's filtering where that is faster
    vgg19.py            [1] the network, in segments of blocks
    loaded.py           [2] the network that settings ask for, kept for the next picture
"""
