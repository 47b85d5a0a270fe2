"""What one server says of itself when it is asked, as plain data; and why it says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from socket import gaierror
from typing import Final

from pytest_dbguard.runtime.errors import NotStarted, ShuttingDown


@dataclass(frozen=True, slots=True)
class Answer:
    """What was learned. None stands for what is not known or does not apply; positions are bytes of log since ever."""

    reachable: bool
    reason: str = ""
    """Why it could not be asked, or what is wrong all the same."""

    connect_ms: float | None = None
    latency_ms: float | None = None
    read_only: bool | None = None
    is_replica: bool = False
    was_replica: bool = False
    """Whether it has replayed another server's log since it was started; after a promotion that stays true."""

    started_at: float | None = None
    """When the server was started, in seconds since 1970: tells one server from another."""

    current_lsn: int | None = None
    """Of a primary: how far it has written its log."""

    received_lsn: int | None = None
    replayed_lsn: int | None = None
    replayed_at: float | None = None
    """When the last transaction that was replayed was committed, in seconds since 1970 by the primary's clock."""

    server_time: float | None = None
    """Seconds since 1970 by the server's clock."""

    is_streaming: bool = False
    """Whether a process of a replica receives from its primary."""

    is_paused: bool = False
    """Whether somebody has told a replica to pause replaying."""

    revision: str | None = None
    disk_free_bytes: int | None = None


NO_ANSWER: Final = Answer(reachable=False, reason="gives no answer in time")
STOPPED: Final = Answer(reachable=False, reason="is not asked, since the manager has stopped")

_BY_SQLSTATE: Final = {
    "53300": "has no connection left",
    "57P01": "is shutting down",
    "57P02": "has crashed",
    "57P03": "is starting or stopping",
    "28P01": "refuses the password",
    "28000": "refuses the login",
    "3D000": "has no such database",
}
# psycopg tells no SQLSTATE of what the server says while connecting, only its text, and libpq's own beside it
_BY_TEXT: Final = (
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("connection slots are reserved", "53300"),
    ("starting up", "57P03"),
    ("shutting down", "57P03"),
    ("not yet accepting connections", "57P03"),
    ("password authentication failed", "28P01"),
    ("no pg_hba.conf entry", "28000"),
)
_BY_CLASS: Final = (
    (TimeoutError, "accepts no connection in time"),
    (ConnectionRefusedError, "refuses connections"),
    (FileNotFoundError, "refuses connections"),
    (ConnectionError, "ends connections"),
    (gaierror, "has a name that is not known"),
)
_BY_SYSTEM: Final = (
    ("refused", "refuses connections"),
    ("no such file", "refuses connections"),
    ("timeout", "accepts no connection in time"),
    ("timed out", "accepts no connection in time"),
    ("translate host name", "has a name that is not known"),
    ("name or service not known", "has a name that is not known"),
    ("certificate", "has a certificate that is not trusted"),
    ("ssl", "speaks no TLS as it is asked to"),
    ("session is read-only", "accepts no writes"),
    ("closed the connection", "ends connections"),
    ("connection reset", "ends connections"),
    ("unable to open database file", "has a file that cannot be opened"),
    ("not a database", "has a file that is no database"),
)


def failed(error: BaseException) -> Answer:
    """Return the answer for a server that could not be asked. The error's text is read and never shown."""
    if isinstance(error, NotStarted | ShuttingDown):
        return STOPPED
    chain = tuple(_chain(error))
    sqlstate = next(filter(None, map(_sqlstate, chain)), None)
    text = " ".join(str(each) for each in chain).lower()
    sqlstate = sqlstate or next((code for words, code in _BY_TEXT if words in text), None)
    kind = type(chain[0]).__name__
    if sqlstate is not None:
        said = _BY_SQLSTATE.get(sqlstate, "answers with an error")
        return Answer(reachable=sqlstate == "53300", reason=f"{said} ({sqlstate})")
    if "database is locked" in text:
        # SQLite, which is there: somebody writes for long
        return Answer(reachable=True, reason=f"is locked by another connection ({kind})")
    return Answer(reachable=False, reason=f"{_by_class(error) or _by_words(text)} ({kind})")


def _by_class(error: BaseException) -> str | None:
    return next((meaning for known, meaning in _BY_CLASS if isinstance(error, known)), None)


def _by_words(text: str) -> str:
    return next((meaning for words, meaning in _BY_SYSTEM if words in text), "cannot be asked")


def _chain(error: BaseException) -> Iterable[BaseException]:
    seen: BaseException | None = error
    for _ in range(5):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _sqlstate(error: BaseException) -> str | None:
    found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return found if isinstance(found, str) else None
