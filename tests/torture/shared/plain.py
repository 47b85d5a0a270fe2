"""Builds the database with nothing of dbguard in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import dialect
import recipe
from sqlalchemy import Engine
from sqlalchemy.orm import Session

SCHEMA = Path(__file__).with_name("schema.sql")


def build(engine: Engine) -> None:
    """Take the steps of the recipe."""
    with closing(engine.raw_connection()) as connection:
        dialect.run_script(connection.driver_connection, SCHEMA.read_text())
        connection.commit()
    recipe.create(engine)
    with Session(engine) as session:
        recipe.seed(session)
        session.commit()
    engine.dispose()
