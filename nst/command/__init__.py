"""The words of the command line: flags, files of flags, and what is printed without a run.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    parser.py   [0] the flags
    config.py   [0] what a call asks for: flags over a file over a record or a preset
    listings.py [0] settings, presets and layers as text
"""
