"""Services of the machine: the shell, files, memory, signals, and the standard error stream.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    shell.py        [0] words as a user types them in a shell
    streams.py      [1] stdout and stderr that may be lost while the work goes on; silence for native code
    memory.py       [0] the free memory, and the memory of this process
    large_arrays.py [0] arrays as large as a picture, in memory or in mapped files, walked in strips
    array_files.py  [1] arrays by name in a file of NumPy's
    signals.py      [0] a first Ctrl-C or SIGTERM waits for the end of a step
    temporary.py    [0] temporary folders that go with the process
    atomic_files.py [1] files written whole or not at all, locks of folders, text and TOML read, hashes

whole         a file is whole if it has all its bytes; a reader finds the old file or the new one, never a part
part          a file that is being written, beside its place and named .NAME.NUMBER.part until it is whole
leftover      a part that a killed run has left
lock          the mark of the one process that may write into a folder
native code   code in C or C++, such as TensorFlow and libtiff, whose messages Python cannot catch
held memory   the memory of this process at present; the peak is the most so far
mapped file   a file whose bytes are an array; the machine reads and writes them as they are used
page          a piece of a mapped file that is in memory
strip         consecutive rows of an array
megabyte      1,000,000 bytes
first signal  Ctrl-C, SIGTERM or on Windows Ctrl-Break: the run saves its work and ends; a second signal ends it at once
"""
