"""Takes tasks from the queue, one for each transaction."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.models import Task, TaskStatus


def work(session: Session, handle: Callable[[Task], None]) -> int:
    """Do all waiting tasks and return how many were done."""
    done = 0
    while True:
        # innocent: a queue takes one piece of work for each transaction
        stmt = select(Task).where(Task.status == TaskStatus.WAITING).order_by(Task.id).limit(1)
        task = session.scalars(stmt.with_for_update(skip_locked=True)).first()
        if task is None:
            return done
        handle(task)
        task.status = TaskStatus.DONE
        session.commit()
        done += 1


def wait_until_idle(session: Session, attempts: int = 5, pause: float = 0.0) -> bool:
    """Return whether the queue ran empty; looks again after a pause that grows."""
    for attempt in range(attempts):
        stmt = select(func.count()).select_from(Task).where(Task.status == TaskStatus.WAITING)
        if not session.scalar(stmt):  # innocent: polling; planted: DBG404 tasks
            return True
        session.rollback()
        time.sleep(pause * 2**attempt)
    return False
