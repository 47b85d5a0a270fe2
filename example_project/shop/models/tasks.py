"""What is to be done later: a queue in a table."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from shop.models.base import Base, WithId, status_type


class TaskStatus(StrEnum):
    """How far a task has come."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Task(WithId, Base):
    """One piece of work for the worker."""

    __tablename__ = "tasks"

    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[str] = mapped_column(String(200))
    status: Mapped[TaskStatus] = mapped_column(status_type(TaskStatus), default=TaskStatus.WAITING, index=True)
