"""Who holds a connection: a cheap trace while it is taken, text for people when it is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from weakref import ref

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine.interfaces import Dialect

from pytest_dbguard.sql.shape import read_statement

_DEPTH = 20
"""How many frames are looked at on each side of an asynchronous call: enough to leave SQLAlchemy's own."""

_LINES = 8
Trace = list[Any]
"""Code objects and offsets into them by turns, innermost first. Frames would keep all their variables alive."""

_SQLALCHEMY = str(Path(sqlalchemy.__file__).parent)
_RUNTIME = str(Path(__file__).parent.parent)
_ASYNCIO = str(Path(asyncio.__file__).parent)
_MACHINERY = (_SQLALCHEMY, _RUNTIME, _ASYNCIO, "<frozen", "<string>", "<sqlalchemy")


@dataclass(frozen=True, slots=True)
class Holder:
    """One connection that is held. Holds no values: statements are told by their shape."""

    owner: str
    """The name of the thread or task that took it, such as "thread MainThread"."""

    held_s: float
    since: float
    """When it was taken, by the pool's monotonic clock."""

    stack: tuple[str, ...] = ()
    """Where it was taken: "shop/orders.py:14 in place_order", innermost first; empty when leaks are not looked for."""

    last_statement: str | None = None
    """The latest statement on it, without literals."""

    is_leak: bool = False
    """Whether it was reported as a leak."""

    def __str__(self) -> str:
        where = f" at {' < '.join(self.stack[:3])}" if self.stack else ""
        said = f"; last statement: {_shortened(self.last_statement)}" if self.last_statement else ""
        return f"held for {self.held_s:.2f} s by {self.owner}{where}{said}"


def traced(current_greenlet: Callable[[], Any] | None = None) -> Trace:
    """Return where the caller of the pool stands. Must be called by the pool's `connect` itself.

    Args:
        current_greenlet: For asynchronous pools. The ORM runs in a greenlet, and its parent is suspended in the
            coroutine that awaits it: the application's frames are there.
    """
    trace: Trace = []
    _walk(sys._getframe(1).f_back, trace)
    if current_greenlet is not None:
        parent = current_greenlet().parent
        if parent is not None and parent.gr_frame is not None:
            _walk(parent.gr_frame, trace)
    return trace


def _walk(frame: FrameType | None, trace: Trace) -> None:
    depth = _DEPTH
    append = trace.append
    while frame is not None and depth:
        append(frame.f_code)
        append(frame.f_lasti)
        frame = frame.f_back
        depth -= 1


def note_statements(dialect: Any) -> None:
    """Have the latest statement noted on the record of each connection of an engine's dialect."""
    if not isinstance(dialect, Dialect):
        return
    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        if not event.contains(dialect, name, _note_statement):
            event.listen(dialect, name, _note_statement)


def _note_statement(_cursor: Any, statement: str, *rest: Any) -> None:
    # returns None, so that SQLAlchemy goes on to execute it
    try:
        record = rest[-1].root_connection._dbapi_connection._connection_record
        record.last_statement = statement
        record.statements += 1
    except AttributeError:  # detached, or not made by a pool
        return


def current_task() -> Any:
    """Return a weak reference to the task that runs, None outside of any."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else ref(task)


def owner_name(thread: int, task: Any) -> str:
    """Return the name of a thread, or of the task in it."""
    if task is not None:
        alive = task()
        return "a task that has ended" if alive is None else f"task {alive.get_name()}"
    if thread == threading.get_ident():
        return f"this thread ({threading.current_thread().name})"
    names = {each.ident: each.name for each in threading.enumerate()}
    return f"thread {names[thread]}" if thread in names else "a thread that has ended"


def shown(trace: Trace) -> tuple[str, ...]:
    """Return the application's lines of a trace, innermost first; all lines when there are none."""
    # below a task's own frames are those of whoever started the event loop
    places = list(takewhile(_is_above_loop, zip(trace[::2], trace[1::2], strict=True)))
    of_application = [each for each in places if not each[0].co_filename.startswith(_MACHINERY)]
    return tuple(_line(code, offset) for code, offset in (of_application or places)[:_LINES])


def _is_above_loop(place: tuple[CodeType, int]) -> bool:
    code = place[0]
    return not (code.co_name == "_run" and code.co_filename.startswith(_ASYNCIO))


def shape_of(statement: str | None) -> str | None:
    """Return a statement without its literals."""
    try:
        return None if statement is None else read_statement(statement).shape.text
    except Exception:  # noqa: BLE001  what it is part of matters more
        return None


def _line(code: CodeType, offset: int) -> str:
    lines = (line for start, end, line in code.co_lines() if start <= offset < end)
    name = Path(code.co_filename)
    with contextlib.suppress(ValueError, OSError):  # elsewhere, or the directory is gone
        name = name.relative_to(Path.cwd())
    return f"{name}:{next(lines, None) or code.co_firstlineno} in {code.co_qualname.rpartition('<locals>.')[2]}"


def _shortened(text: str | None, width: int = 120) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
