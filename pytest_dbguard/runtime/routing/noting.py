"""Sessions on primary whose commits are not lost on what reads from replicas afterwards."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import Session

from pytest_dbguard.runtime.routing.positions import note_write

_MANAGER: Final = "dbguard_manager"


class NotingSession(Session):
    """A session whose commits routing sessions of the same context know of: these read what it has written.

    Where primary's log was is not asked here, but by the first read that has to know. A commit counts as a write
    whatever was done before it.
    """


def noting(session: Session, manager: object) -> None:
    """Have a session note its commits for a manager's routing sessions."""
    if isinstance(session, NotingSession):
        session.info[_MANAGER] = manager


@event.listens_for(NotingSession, "after_commit")
def _note_commit(session: NotingSession) -> None:
    manager: Any = session.info.get(_MANAGER)
    if manager is not None and not session.in_nested_transaction():
        note_write(manager)
