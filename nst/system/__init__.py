"""What the machine gives: files that appear whole, memory, signals, the stream of errors.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    stderr.py       [0] silence what native code prints to stderr
    memory.py       [0] how much memory is free and how much this process holds
    signals.py      [0] a first Ctrl-C or SIGTERM waits for the end of a step
    atomic_files.py [1] write files whole or not at all, lock folders, read text and TOML, hash files
"""
