"""Run the command again and again, each time in a fork of a process that has TensorFlow imported but not started.

On stdin, a line of JSON: the words of the command, and where its stdout and its stderr go, null for a closed one. On
stdout, a line with the process's number, then one with its exit status, negative for the signal that killed it. It
spares each run the seconds of the import.
"""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import scipy.optimize  # noqa: F401
import tensorflow as tf  # noqa: F401

import neural_art
from nst.system.streams import end_process, keep_streams


def run(words: list[str]) -> int:
    """Do what neural_art.py does as a program; return its exit code."""
    try:
        keep_streams()
        return neural_art.main(words, end=end_process)
    except KeyboardInterrupt as error:  # before main
        return 128 + (error.args[0] if error.args else signal.SIGINT)


if __name__ == "__main__":
    for line in sys.stdin:
        process = os.fork()
        if not process:
            words, *streams = json.loads(line)
            for number, path in enumerate(streams, 1):
                os.close(number)
                if path is not None:
                    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                    os.dup2(opened, number)
            end_process(run(words))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
