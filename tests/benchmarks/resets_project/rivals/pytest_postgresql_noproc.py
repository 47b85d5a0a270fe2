"""pytest-postgresql on a running server."""

from __future__ import annotations

from bench_pytest_postgresql import load_tables, postgresql, session  # noqa: F401
from pytest_postgresql import factories

server = factories.postgresql_noproc(load=[load_tables])
