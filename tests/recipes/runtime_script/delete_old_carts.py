"""Deletes carts that nobody came back for, some at a time, until SIGTERM: `python delete_old_carts.py [HOW_MANY]`."""

import sys

from pytest_dbguard.runtime import DatabaseService, get_database_service
from sqlalchemy import delete, select
from tables import Cart


def delete_some(service: DatabaseService, how_many: int) -> int:
    """Delete the oldest carts in one transaction; return how many there were."""
    oldest = select(Cart.id).where(Cart.is_old).order_by(Cart.id).limit(how_many)

    def work(session):
        found = session.scalars(oldest).all()
        session.execute(delete(Cart).where(Cart.id.in_(found)))
        return len(found)

    return service.client().run(work)


def main(how_many: int = 100) -> int:
    deleted = 0
    with get_database_service() as service, service.stopping_on_sigterm():
        while service.state == "started" and (some := delete_some(service, how_many)):
            deleted += some
    return deleted


if __name__ == "__main__":
    print(f"{main(*map(int, sys.argv[1:]))} carts deleted")
