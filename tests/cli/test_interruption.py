"""Ctrl-C ends a search with what it has; once more it ends the command."""

from __future__ import annotations

import signal
import threading

import pytest

from pytest_dbguard.cli.interruption import interruptible


def test_the_first_is_told_and_the_second_raised():
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as is_stopped:
        assert not is_stopped()
        signal.raise_signal(signal.SIGINT)
        assert is_stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_hear_of_none():
    told = []

    def search():
        with interruptible() as is_stopped:
            told.append(is_stopped())

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert told == [False]
