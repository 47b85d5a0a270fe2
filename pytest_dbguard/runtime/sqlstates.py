"""What an error says of the server and of the transaction: by SQLSTATE, or by SQLite's codes."""

from __future__ import annotations

from collections.abc import Iterator

READ_ONLY = "25006"
_CONNECTION = "08"
_SERVER_LEAVES = ("57P01", "57P02", "57P03")
_ONE_CONNECTION_TIMED_OUT = ("57P05", "25P03", "25P04")
_COMPLETION_UNKNOWN = "40003"
_SERIALIZATION = ("40001", "40P01")
_ENDS_SESSION = ("FATAL", "PANIC")
# https://www.sqlite.org/rescode.html: the low byte is the primary code
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_IOERR = 5, 6, 10


def sqlstate_of(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of a driver's error, whichever driver it is of.

    The first cause counts: asyncpg tells of a connection that is closed (08003), and why the server closed it below.
    """
    found = None
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        found = code if isinstance(code, str) else found
        error = error.__cause__
    return found


def is_server_gone(sqlstate: str | None) -> bool:
    """Whether no connection to the server is of use any more: it shuts down, starts up, or is out of reach."""
    return sqlstate is not None and (sqlstate in _SERVER_LEAVES or sqlstate.startswith(_CONNECTION))


def is_one_connection(sqlstate: str | None) -> bool:
    """Whether the server ended this connection by a time limit of its own, which says nothing of others."""
    return sqlstate in _ONE_CONNECTION_TIMED_OUT


def is_conflict(error: BaseException) -> bool:
    """Whether a transaction lost against another one, and would likely succeed when done again."""
    code = sqlite_code(error)
    return sqlstate_of(error) in _SERIALIZATION or code in (_SQLITE_BUSY, _SQLITE_LOCKED)


def says_rolled_back(error: BaseException) -> bool:
    """Whether an error in answer to COMMIT means that the transaction did not happen.

    An error of PostgreSQL's does; a fatal one, or none at all, does not: the server may have committed before it
    went, and says so in a warning only ("has already committed locally"). Unless it had waited for COMMIT in vain.
    """
    code = sqlite_code(error)
    if code is not None:
        return code != _SQLITE_IOERR
    sqlstate = sqlstate_of(error)
    if sqlstate is None or sqlstate == _COMPLETION_UNKNOWN or is_server_gone(sqlstate):
        return False
    return is_one_connection(sqlstate) or not any(_severity(each) in _ENDS_SESSION for each in causes(error))


def _severity(error: BaseException) -> str | None:
    told = getattr(getattr(error, "diag", None), "severity_nonlocalized", None)
    return told or getattr(error, "severity_en", None)


def sqlite_code(error: BaseException) -> int | None:
    """Return SQLite's primary code of an error; None for other databases."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, and the driver's errors in them."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        original = getattr(each, "orig", None)
        if isinstance(original, BaseException) and original is not each.__cause__:
            yield original
        each = each.__cause__
