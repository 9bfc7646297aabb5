"""Native code is silent, and stderr is there again afterwards. The work outlives the standard streams."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT

from nst.system.streams import Channel, silenced

KEPT = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from nst.system.streams import *; keep_streams();"


def test_what_the_encoding_lacks_is_written_with_backslashes():
    file = io.TextIOWrapper(io.BytesIO(), "ascii")
    channel = Channel(file)
    channel.write("f\u00e9 \udcff\n")
    channel.flush()
    assert file.buffer.getvalue() == b"f\\xe9 \\udcff\n"
    assert channel.lost is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_stream_on_a_full_disk_goes_nowhere_from_then_on():
    code = "print('a'); print('b', file=sys.stderr); lost = stdout_lost(); assert lost.errno == 28; print('c')"
    with Path("/dev/full").open("w") as full:
        assert (
            subprocess.run([sys.executable, "-c", KEPT + code], stdout=full, stderr=full, check=False).returncode == 0
        )


def test_streams_that_are_closed_are_nowhere_and_no_file_takes_their_numbers():
    code = "import os; print('a'); print('b', file=sys.stderr); sys.exit(os.open('/dev/null', 0))"
    command = '"$0" -c "$1" <&- >&- 2>&-'
    found = subprocess.run(["sh", "-c", command, sys.executable, KEPT + code], check=False)
    assert found.returncode > 2


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
