"""Makes a child process die with its parent, so that a killed test run leaves no server behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> Callable[[], None] | None:
    """Return what `subprocess.Popen(preexec_fn=...)` calls in the child; None where there is no such thing.

    Linux only. The signal follows the *thread* that started the child, so a thread that may end before the process
    gets none. SIGQUIT because it is PostgreSQL's immediate shutdown. See prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    # Looked up before the fork: between fork and exec nothing may take a lock.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_child
