"""The command, as python -m nst."""

from neural_art import program

if __name__ == "__main__":  # A new process of a batch may import this file.
    program()
