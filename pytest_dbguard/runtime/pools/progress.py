"""Tells whether a driver's connection waits for its server, and how much went to and fro; asks nobody."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

_ACTIVE = 1
"""libpq's PQTRANS_ACTIVE: a statement, COMMIT and ROLLBACK among them, was sent, and its answer has not ended."""

_BYTES = struct.Struct("@128xQ64x2Q")
"""`tcpi_bytes_received`, `_sent` and `_retrans` in Linux's `struct tcp_info` (linux/tcp.h), from 4.19 on."""


def waits(driver_connection: Any) -> bool:
    """Whether a connection waits for an answer: psycopg's, psycopg2's and asyncpg's, from any thread.

    False for others: SQLite has no server, and of the rest nobody outside can tell.
    """
    with suppress(Exception):  # it may be closed meanwhile
        if hasattr(driver_connection, "pgconn"):
            return int(driver_connection.pgconn.transaction_status) == _ACTIVE
        if hasattr(driver_connection, "get_transaction_status"):
            return int(driver_connection.get_transaction_status()) == _ACTIVE
        if hasattr(driver_connection, "_protocol"):
            # asyncpg shows nobody but the garbage collector what its operation awaits
            held = gc.get_referents(driver_connection._protocol)
            return any(isinstance(each, asyncio.Future) and not each.done() for each in held)
    return False


def transferred(driver_connection: Any) -> tuple[int, ...]:
    """Return how many bytes were received and sent so far; nothing where the system does not tell.

    Linux tells of TCP: whoever streams a large result is making progress, though it is one statement.
    """
    if sys.platform != "linux":
        return ()
    with suppress(Exception):
        descriptor = _descriptor(driver_connection)
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            told = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES.size)
        received, sent, sent_again = _BYTES.unpack(told)
        return received, sent - sent_again
    return ()


def _descriptor(driver_connection: Any) -> int:
    if hasattr(driver_connection, "pgconn"):
        return int(driver_connection.pgconn.socket)
    if hasattr(driver_connection, "fileno"):
        return int(driver_connection.fileno())
    return int(driver_connection._transport.get_extra_info("socket").fileno())
