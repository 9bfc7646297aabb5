"""The command, as python -m nst."""

from neural_art import program

program()
