"""A first signal waits, a second one ends at once."""

import os
import signal
import threading

import pytest

from nst.system.signals import AtOnce, deferred


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_waits_and_a_second_does_not(number):
    before = signal.getsignal(number)
    with pytest.raises(AtOnce) as caught, deferred() as signalled:
        assert signalled() == 0
        os.kill(os.getpid(), number)
        assert signalled() == number
        os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.args == (signal.SIGINT,)
    assert signal.getsignal(number) is before


def test_another_thread_has_no_signals_to_wait_for():
    found = []

    def enter():
        with deferred() as signalled:
            found.append(signalled())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [0]
