"""Reads the clean state of a PostgreSQL database: at first, and again for what fixtures of wider scope add."""

from __future__ import annotations

from pytest_dbguard.resets.postgres_connected import Change
from pytest_dbguard.resets.postgres_facts import read_facts
from pytest_dbguard.resets.postgres_keeping import base_copies, make_copies
from pytest_dbguard.resets.postgres_probe import read_positions
from pytest_dbguard.resets.postgres_session import PostgresSession
from pytest_dbguard.resets.postgres_state import CleanState, Layer


def base_layer(session: PostgresSession) -> Layer:
    """Return what a fresh copy of a template holds."""
    facts = read_facts(session)
    copies, positions = base_copies(session, facts), read_positions(session, facts)
    return Layer("the template", facts, copies=copies, positions=positions)


def new_layer(session: PostgresSession, state: CleanState, owner: str, change: Change, number: int) -> Layer:
    """Return what an owner has changed, copied."""
    if change.beyond_rows:
        return _whole_layer(session, owner, number)
    facts = state.top.facts
    positions = read_positions(session, facts, change.sequences)
    copies = make_copies(session, facts, change.tables, number)
    layer = Layer(owner, facts, state.top.ddl, state.top.large_objects, copies, positions)
    layer.unsaved = set(copies)
    return layer


def _whole_layer(session: PostgresSession, owner: str, number: int) -> Layer:
    facts = read_facts(session)
    readable = [table for table in facts.tables.values() if not table.is_blind]
    filled = [table.oid for table in readable if session.run(f"SELECT FROM ONLY {table.name} LIMIT 1")]
    copies = make_copies(session, facts, filled, number)
    return Layer(owner, facts, copies=copies, positions=read_positions(session, facts), is_whole=True)
