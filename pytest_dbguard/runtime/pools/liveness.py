"""Asks an idle connection whether its server still answers, within a time that holds even when nothing does."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DisconnectionError


class FrozenPeer(DisconnectionError):
    """No answer came in time."""


def check(connection: Any, dialect: Any, timeout_s: float) -> None:
    """Ask a driver's connection for an answer.

    Raises:
        FrozenPeer: When none comes within `timeout_s` seconds.
        DisconnectionError: When the connection is closed or broken.
    """
