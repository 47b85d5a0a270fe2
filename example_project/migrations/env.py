"""Runs migrations on the shop's database, or on the connection that a test hands in."""

from __future__ import annotations

from alembic import context
from shop.models import Base

from pytest_dbguard.runtime import get_database_service


def run(connection) -> None:
    """Run migrations on a connection."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with get_database_service() as service, service.client().engine.connect() as connection:
        run(connection)
        connection.commit()
