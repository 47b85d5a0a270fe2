"""What builds the database: the mapped tables, and the data that every test starts from."""

from __future__ import annotations

import models
from sqlalchemy import Engine
from sqlalchemy.orm import Session

SEED = (
    "INSERT INTO customer (email, name, picture) VALUES ('ada@example.org', 'Ada', x'00ff'), ('bob@x', 'Bob', NULL)",
    "UPDATE customer SET name = 'Bobby' WHERE id = 2",
    "INSERT INTO account (customer_id, balance) VALUES (1, 10), (2, 20), (2, 30)",
    "DELETE FROM account WHERE id = 3",
    "INSERT INTO department VALUES (1, 1)",
    "INSERT INTO employee VALUES (1, 1)",
    "INSERT INTO setting VALUES ('a', 1), ('b', 'two')",
    'INSERT INTO "Odd %s "" Täble" VALUES (\'from\')',
    "INSERT INTO document VALUES ('first', 'to be found')",
)


def seed(session: Session) -> None:
    """Add what every test starts from."""
    for statement in SEED:
        session.connection().exec_driver_sql(statement)
    models.seed(session)


def create(engine: Engine) -> None:
    """Create the mapped tables, and note the version of the schema."""
    models.Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 7")
