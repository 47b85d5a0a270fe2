"""The tests that are measured: each first looks whether the database is clean, then writes or reads five tables."""

from __future__ import annotations

import os

import measuring
import models
import pytest
from sqlalchemy import select, text

ROWS = 20
TESTS = range(int(os.environ["BENCH_TESTS"]))
TABLES = list(models.Base.metadata.tables)
AT_ONCE = 50  # py-pglite dies of longer statements
ANY_ROWS = [
    text(" + ".join(["SELECT 0", *(f"CASE WHEN EXISTS (SELECT 1 FROM {name}) THEN 1 ELSE 0 END" for name in names)]))
    for names in (TABLES[start : start + AT_ONCE] for start in range(0, len(TABLES), AT_ONCE))
]
NO_TRANSACTION = text("SELECT pg_current_xact_id_if_assigned() IS NULL")


def tables_with_rows(session):
    found = sum(session.execute(query).scalar_one() for query in ANY_ROWS)
    session.rollback()
    return found


def has_committed(session):
    """Tell whether nothing is left of the transaction that has written: a savepoint's goes on."""
    if session.get_bind().dialect.name != "postgresql":
        return {}
    found = session.execute(NO_TRANSACTION).scalar_one()
    session.rollback()
    return {"commits": found}


@pytest.mark.parametrize("number", TESTS)
def test_writes(session, number):
    if session is None:  # the yardstick: what pytest takes without any database
        return
    is_clean, first_ids, parents = not tables_with_rows(session), set(), [None] * ROWS
    for model in models.group(number):
        rows = [model(number=position, name=f"row {position}") for position in range(ROWS)]
        if parents[0] is not None:
            for row, parent in zip(rows, parents, strict=True):
                row.parent_id = parent
        session.add_all(rows)
        session.flush()
        parents = [row.id for row in rows]
        first_ids.add(min(parents))
        session.commit()
    measuring.note(is_clean=is_clean, starts_at_1=first_ids == {1}, **has_committed(session))


@pytest.mark.parametrize("number", TESTS)
def test_reads(session, number):
    if session is None:
        return
    measuring.note(is_clean=not tables_with_rows(session))
    for model in models.group(number):
        session.scalars(select(model).limit(ROWS)).all()
