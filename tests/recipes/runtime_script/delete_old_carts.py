"""Delete the carts that nobody has touched for a month, some at a time: a script for cron, which SIGTERM may end."""

import logging
import sys

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from tables import Cart

from pytest_dbguard.runtime import NotStarted, get_database_service

OLD = select(Cart.id).where(Cart.age_in_days > 30).order_by(Cart.id)


def delete_some(session: Session, how_many: int) -> int:
    """Delete the first of the old carts; return how many there were."""
    found = session.scalars(OLD.limit(how_many)).all()
    session.execute(delete(Cart).where(Cart.id.in_(found)))
    return len(found)


def main(how_many: int) -> int:
    """Delete all old carts, each step in a transaction of its own; return how many there were."""
    deleted = 0
    with get_database_service() as service:
        while some := service.client().run(lambda session: delete_some(session, how_many)):
            deleted += some
    return deleted


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    get_database_service().stop_on_sigterm()
    try:
        print(f"{main(int(sys.argv[1]) if sys.argv[1:] else 100)} carts deleted")
    except NotStarted:
        sys.exit("ended before all carts were deleted")
