"""Native code is silent, and stderr is there again afterwards."""

import os

import pytest

from nst.system.stderr import silenced


def test_output_of_native_code_is_discarded(capfd):
    with silenced(verbose=False), silenced(verbose=False):
        os.write(2, b"from native code")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_verbose_lets_everything_through(capfd):
    with silenced(verbose=True):
        os.write(2, b"from native code")
    assert capfd.readouterr().err == "from native code"


def test_stderr_is_back_after_an_error(capfd):
    with pytest.raises(ValueError, match="wrong"), silenced(verbose=False):
        raise ValueError("wrong")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
