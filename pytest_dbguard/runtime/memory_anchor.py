"""Keeps SQLite databases in memory alive while the pools that use them replace their connections."""

from __future__ import annotations

import sqlite3
from typing import Any
from weakref import finalize

from sqlalchemy import URL


class Anchors:
    """One connection to each database in memory: SQLite forgets such a database with the last one."""

    def __init__(self) -> None:
        self._held: dict[str, sqlite3.Connection] = {}
        finalize(self, _let_go, self._held)

    def hold(self, name: str, url: URL) -> None:
        """Hold a target's database from now on; nothing for one in a file, on a server, or without a name."""
        query = dict(url.query)
        is_named = query.get("vfs") == "memdb" or query.get("mode") == "memory"
        if name in self._held or url.get_backend_name() != "sqlite" or not is_named:
            return
        query.pop("uri", None)
        address = f"{url.database}?{'&'.join(f'{key}={value}' for key, value in query.items())}"
        options: dict[str, Any] = {"uri": True, "check_same_thread": False}
        self._held[name] = sqlite3.connect(address, **options)

    def let_go(self) -> None:
        """Hold none any more."""
        _let_go(self._held)


def _let_go(held: dict[str, sqlite3.Connection]) -> None:
    while held:
        held.popitem()[1].close()
