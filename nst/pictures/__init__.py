"""Picture files read and written, and operations on single pictures. No TensorFlow.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    color_profiles.py [0] ICC profiles: colours converted to sRGB, and the profile of sRGB
    metadata.py       [0] resolution, the part of EXIF that is kept, and a comment of this program
    sixteen_bit.py    [0] pictures of 16 bits per channel: the lower bytes read; PNG and TIFF written
    transparency.py   [0] a picture over white, and colours for invisible pixels
    encodings.py      [0] colours described without a profile: PNG's gamma, Adobe RGB; the profile in a BMP
    formats.py        [0] the formats that are read, the libraries for others, and the names of what is refused
    opening.py        [1] files opened, and checked before a pixel is read
    decoding.py       [2] a file of any format as arrays
    resizing.py       [0] sizes, and pictures resized with Lanczos' filter
    picture_files.py  [3] read_picture, write_picture and their variants
    color_transfer.py [0] a picture with the colours of another picture

image       float32 RGB [height, width, 3] in [0, 1], in the colours of sRGB
alpha       float32 [height, width] in [0, 1]: 0 invisible, 1 opaque; colours are not multiplied by alpha
picture     an image with its alpha and the metadata of its file; in decoding.py, a picture of Pillow
over white  as an image with alpha looks on white paper
levels      the whole numbers of a file for colours, 0 to 255 or 0 to 65535
samples     levels as an array [height, width, channels] to be written
grey        an array [height, width] of lightness, before it becomes an image
depth       the bits of a channel, 8 or 16
size        (height, width) in px
dpi         the resolution (across, down) in dots per inch
payload     the bytes of a file
comment     a text of this program in a picture file: the record of the run, see run/record.py
preview     a reduced image to look at
"""
