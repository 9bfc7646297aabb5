"""Picture files in, picture files out, and what is done to pictures by themselves. No TensorFlow.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    color_profiles.py [0] ICC profiles: colours to sRGB, and sRGB's own profile
    metadata.py       [0] resolution, the EXIF worth keeping, a comment of the program's own
    sixteen_bit.py    [0] 16 bits a channel: read the lower byte, write PNG and TIFF
    transparency.py   [0] alpha: a picture over white, and colours for invisible pixels
    decoding.py       [1] Pillow's formats, modes and errors made one
    resizing.py       [0] sizes, and pictures resized by Lanczos' filter
    picture_files.py  [2] read and write pictures
    color_transfer.py [0] one picture's colours moved onto another's, and kept
"""
