"""A first signal waits, a second one ends at once."""

import ctypes
import os
import signal
import threading
from types import SimpleNamespace

import pytest

from nst.system.signals import SIGNALS, AtOnce, deferred, interrupt_on_signals, uninterrupted, unsignalled_children


@pytest.mark.parametrize("number", SIGNALS)
def test_a_first_signal_waits_and_a_second_does_not(number):
    before = signal.getsignal(number)
    with pytest.raises(AtOnce) as caught, deferred() as signalled:
        assert signalled() == 0
        os.kill(os.getpid(), number)
        assert signalled() == number
        os.kill(os.getpid(), signal.SIGINT)
    assert caught.value.args == (signal.SIGINT,)
    assert signal.getsignal(number) is before


def test_a_first_signal_is_answered_at_once():
    numbers, answered = [], threading.Event()

    def answer(number):
        numbers.append(number)
        answered.set()

    with deferred(heard=answer):
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert answered.wait(10)
    assert numbers == [signal.SIGHUP]


def test_a_signal_within_is_a_signal_of_the_whole():
    """A batch ends where the signal came at the very end of a picture."""
    with deferred() as of_batch:
        with deferred() as of_picture:
            os.kill(os.getpid(), signal.SIGTERM)
            assert of_picture() == signal.SIGTERM
        assert of_batch() == signal.SIGTERM
    with deferred() as of_batch:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
        assert of_batch() == signal.SIGINT


def test_another_thread_has_no_signals_to_wait_for():
    found = []

    def enter():
        with deferred() as signalled:
            found.append(signalled())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [0]


def test_a_terminal_that_hangs_up_twice_is_one_signal():
    with deferred() as signalled:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert signalled() == signal.SIGHUP


def test_a_signal_that_is_ignored_stays_ignored():
    """As nohup asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred() as signalled:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signalled() == 0
        interrupt_on_signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_a_signal_comes_after_what_must_not_be_interrupted():
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        done.append(True)
    assert done == [True]


@pytest.mark.parametrize("amid", [lambda: deferred(lambda: "not saved"), uninterrupted])
def test_a_second_signal_in_native_code_ends_the_process_and_raises_nothing_there(amid):
    """TensorFlow crashes of exceptions that come in the middle of it."""
    ended = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interrupt_on_signals(ended.append)
    try:
        with pytest.raises(KeyboardInterrupt), amid():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            assert ended
            raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert ended[0].args in [(signal.SIGINT, "not saved"), (signal.SIGINT, "the first step was not done yet")]


def test_new_processes_of_windows_inherit_that_ctrl_c_is_ignored(monkeypatch):
    calls = []
    console = SimpleNamespace(SetConsoleCtrlHandler=lambda *words: calls.append(words))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=console), raising=False)
    monkeypatch.delattr(signal, "pthread_sigmask", raising=False)
    with pytest.raises(OSError, match="no process"), unsignalled_children():
        assert calls == [(None, True)]
        raise OSError("no process")
    assert calls == [(None, True), (None, False)]
