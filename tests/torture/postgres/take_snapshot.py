"""Builds the database with nothing of dbguard in it, and writes its state to a file: `take_snapshot.py DSN FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import plain
import psycopg
import state
from sqlalchemy import create_engine


def main(dsn: str, file: str) -> None:
    plain.build(create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn)))
    with psycopg.connect(dsn, autocommit=True) as connection:
        Path(file).write_text(json.dumps(state.read_state(connection)))


if __name__ == "__main__":
    main(*sys.argv[1:])
