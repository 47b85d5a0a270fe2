"""What of a recording is judged by its plan."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_dbguard.analysis.observations import observations
from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.sql.shape import read_statement

SITE = Site("shop/orders.py", 7)


def recording(
    text="SELECT a FROM t WHERE b = ?", *, scope="call", marks=Mark.NONE, failed=False, frames=True, schema="s"
):
    frame = SimpleNamespace(site=SITE, in_test_code=False)
    stack = SimpleNamespace(frames=(frame,) if frames else (), marks=marks)
    read = read_statement(text)
    statement = SimpleNamespace(
        schema=schema, text=read, tables=read.tables, site=SITE, failed=failed, stack=stack, ignores=(), number=0
    )
    prepares = scope in ("setup", "teardown")
    return SimpleNamespace(scope=scope, prepares=prepares, statements=(statement,), ignores=())


def test_what_the_application_reads_and_writes():
    (seen,) = observations([recording(marks=Mark.FLUSH)])
    assert (seen.schema, seen.site, seen.count, seen.scope) == ("s", SITE, 1, "call")
    assert observations([recording("DELETE FROM t")])


@pytest.mark.parametrize(
    "what",
    [{"marks": Mark.MIGRATION}, {"failed": True}, {"frames": False}, {"scope": "setup"}, {"text": "DROP TABLE t"}],
    ids=str,
)
def test_what_is_passed_over(what):
    assert observations([recording(**what)]) == []


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT version_num FROM alembic_version", "SELECT oid FROM pg_database"])
def test_what_needs_no_schema_is_not_told_as_unread(text):
    assert observations([recording(text, schema="")]) == []
    assert observations([recording(text + ", t" if " FROM " in text else text + " FROM t", schema="")])


@pytest.mark.parametrize("text", ["INSERT INTO alembic_version (version_num) VALUES (?)", "SELECT oid FROM pg_class"])
def test_tables_that_are_in_no_catalog(text):
    assert observations([recording(text)]) == []
    assert observations([recording("SELECT a FROM json_each(?)")])
