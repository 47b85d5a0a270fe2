"""pytest-postgresql with its own server, one for each worker."""

from __future__ import annotations

from bench_pytest_postgresql import load_tables, postgresql, session  # noqa: F401
from pytest_postgresql import factories

server = factories.postgresql_proc(load=[load_tables])
