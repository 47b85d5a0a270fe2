"""What happens to the database beside the application's engines: the driver, other processes, the file as a whole."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import engines
import pytest
from mischief import write


def test_vacuum():
    write("DELETE FROM log")
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")


def test_driver_connection(connect):
    with closing(connect()) as connection:
        connection.executescript("DELETE FROM customer; CREATE TABLE later (id INTEGER)")


@pytest.mark.file
@pytest.mark.parametrize(
    "script", ["BEGIN; DELETE FROM customer; COMMIT", "BEGIN; DELETE FROM customer; SELECT 1", "DROP TABLE watched"]
)
def test_another_process_writes(dbguard_database, script):
    code = f"import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript({script!r}); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, dbguard_database.url.database], check=True)
