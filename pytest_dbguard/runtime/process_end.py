"""Stops a manager when its process ends: at exit, and on SIGTERM where that is asked for."""

from __future__ import annotations

import _thread
import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

from pytest_dbguard.runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from pytest_dbguard.runtime.manager import DatabaseManager

_LOG = logging.getLogger("pytest_dbguard.runtime")
_AGAIN_S = 0.05


class Stoppable(Protocol):
    """A manager, or what holds one."""

    def stop(self) -> object:
        """Stop, and wait for that."""
        ...


def stop_at_exit(manager: DatabaseManager) -> Callable[[], None]:
    """Have a manager stopped when Python ends, if it is still there; return what undoes that.

    Only daemon threads could still be at work by then, and they end with Python: nobody is waited for.
    """
    weak = ref(manager)

    def dbguard_at_exit() -> None:
        alive = weak()
        if alive is not None:
            alive.stop(0)

    atexit.register(dbguard_at_exit)
    return lambda: atexit.unregister(dbguard_at_exit)


class SigtermStop:
    """Handles SIGTERM: stops a manager, or a service, besides what the signal did before.

    A former handler is called at once, since it may be what makes work end (Celery's and gunicorn's do). Where the
    signal ended the process, it does so once the manager has stopped; until then work under way goes on, also that
    of the main thread, which the handler must not hold up.
    """

    def __init__(self, manager: Stoppable) -> None:
        self._manager = ref(manager)
        self._former: Any = signal.SIG_DFL
        self._begun_in: int | None = None
        self._has_stopped = False
        self._is_over = False

    def install(self) -> Callable[[], None]:
        """Begin to handle it; return what undoes that, where nobody has taken the signal over since.

        Raises:
            RuntimeFault: Outside of the main thread, which alone may do so.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeFault("only the main thread can handle SIGTERM", hint="call stop_on_sigterm() there")
        self._former = signal.signal(signal.SIGTERM, self._handle)
        return self._uninstall

    def _uninstall(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self._handle:
            signal.signal(signal.SIGTERM, self._former or signal.SIG_DFL)

    def _handle(self, number: int, frame: Any) -> None:
        if self._begun_in != os.getpid():
            # by process: a child that was forked meanwhile has its own connections
            self._begun_in = os.getpid()
            self._has_stopped = False
            # not by `threading`, whose lock the interrupted main thread may have
            with suppress(RuntimeError):  # Python is ending, which stops the manager as well
                _thread.start_new_thread(self._stop, ())
        if callable(self._former):
            self._former(number, frame)
        elif self._former is not signal.SIG_IGN and self._has_stopped:
            self._is_over = True
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self) -> None:
        manager = self._manager()
        try:
            if manager is not None:
                manager.stop()
        except Exception as error:  # noqa: BLE001  the process must end all the same
            _LOG.warning("stopping on SIGTERM raised %s", type(error).__name__)
        finally:
            self._has_stopped = True
            if not callable(self._former) and self._former is not signal.SIG_IGN:
                self._wake_main_thread()

    def _wake_main_thread(self) -> None:
        """Have the handler called again: only the main thread can give the signal its former meaning back.

        By a signal to that very thread, which may wait where no other thread's signal wakes it; and again, since it
        may have been about to wait.
        """
        main = threading.main_thread().ident
        while main is not None and not self._is_over and signal.getsignal(signal.SIGTERM) == self._handle:
            signal.pthread_kill(main, signal.SIGTERM)
            time.sleep(_AGAIN_S)
