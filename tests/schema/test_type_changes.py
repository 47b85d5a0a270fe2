"""What a change of type costs is what PostgreSQL does: its file stays, or another one is written."""

from __future__ import annotations

import pytest

from pytest_dbguard.schema.type_changes import TypeChange, is_volatile_default, type_change
from tests.schema.conftest import connect

FREE, REWRITE, UNLESS_UTC, UNKNOWN = TypeChange.FREE, TypeChange.REWRITE, TypeChange.UNLESS_UTC, TypeChange.UNKNOWN
CHANGES = [
    ("varchar(20)", "varchar(40)", FREE),
    ("VARCHAR(20)", "character varying", FREE),
    ("character varying(20)", "TEXT", FREE),
    ("varchar", "text", FREE),
    ("text", "varchar", FREE),
    ("text", "varchar(40)", REWRITE),
    ("varchar(40)", "varchar(20)", REWRITE),
    ("varchar", "varchar(20)", REWRITE),
    ("char(10)", "char(20)", REWRITE),
    ("char(10)", "text", REWRITE),
    ("varchar(10)", "char(10)", REWRITE),
    ("numeric(10, 2)", "numeric(12,2)", FREE),
    ("numeric(10,2)", "numeric", FREE),
    ("decimal(10)", "numeric(10, 0)", FREE),
    ("numeric(12,2)", "numeric(10,2)", REWRITE),
    ("numeric(10,2)", "numeric(12,4)", REWRITE),
    ("numeric", "numeric(12,2)", REWRITE),
    ("int", "integer", FREE),
    ("int4", "bigint", REWRITE),
    ("bigint", "integer", REWRITE),
    ("smallint", "integer", REWRITE),
    ("integer", "numeric", REWRITE),
    ("real", "double precision", REWRITE),
    ("timestamp(3)", "timestamp", FREE),
    ("timestamp", "timestamp(6)", FREE),
    ("timestamp", "timestamp(3)", REWRITE),
    ("timestamptz(3)", "timestamp(6) with time zone", FREE),
    ("timestamp without time zone", "date", REWRITE),
    ("date", "timestamp", REWRITE),
    ("time(3)", "time", FREE),
    ("interval(3)", "interval", FREE),
    ("bit varying(5)", "varbit(9)", FREE),
    ("cidr", "inet", FREE),
    ("inet", "cidr", REWRITE),
    ("json", "jsonb", REWRITE),
    ("jsonb", "json", REWRITE),
    ("text[]", "text[]", FREE),
    ("integer[]", "bigint[]", REWRITE),
    ("varchar(10)[]", "text[]", REWRITE),
    ("uuid", "text", REWRITE),
    ("boolean", "text", REWRITE),
]
DEFAULTS = [
    ("uuid", "gen_random_uuid()"),
    ("double precision", "random()"),
    ("timestamptz", "clock_timestamp()"),
    ("bigint", "nextval('numbers')"),
    ("bigserial", ""),
    ("timestamptz", "now()"),
    ("timestamptz", "CURRENT_TIMESTAMP"),
    ("date", "(now() AT TIME ZONE 'utc')::date"),
    ("text", "upper('random()')"),
    ("integer", "40 + 2"),
    ("text", "current_user"),
]


@pytest.fixture(scope="module")
def connection(kind, databases):
    """A connection to a server of one of the two majors."""
    with connect(databases.url(kind, "CREATE SEQUENCE numbers")) as found:
        yield found


def is_rewritten(connection, table, change):
    """Whether a statement gives a table another file."""
    asked = f"SELECT pg_relation_filenode('{table}')"
    before = connection.execute(asked).fetchone()
    connection.execute(change)
    return connection.execute(asked).fetchone() != before


@pytest.mark.parametrize(("old", "new", "told"), CHANGES)
def test_changes(connection, old, new, told):
    assert type_change(old, new) is told
    connection.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (a {old}); INSERT INTO t VALUES (NULL)")
    assert is_rewritten(connection, "t", f"ALTER TABLE t ALTER a TYPE {new} USING a::{new}") is (told is REWRITE)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna"])
@pytest.mark.parametrize(("old", "new"), [("timestamp", "timestamptz"), ("timestamptz", "timestamp")])
def test_a_time_zone_is_added_for_nothing_in_utc_only(connection, old, new, zone):
    assert type_change(old, new) is UNLESS_UTC
    connection.execute(f"SET timezone = '{zone}'; DROP TABLE IF EXISTS t; CREATE TABLE t (a {old})")
    assert is_rewritten(connection, "t", f"ALTER TABLE t ALTER a TYPE {new}") is (zone != "UTC")


@pytest.mark.parametrize(("type_name", "default"), DEFAULTS)
def test_defaults(connection, type_name, default):
    connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (a integer); INSERT INTO t VALUES (1)")
    says = f"DEFAULT {default}" if default else ""
    literal_free = default.replace("'random()'", "''")
    rewritten = is_rewritten(connection, "t", f"ALTER TABLE t ADD COLUMN b {type_name} {says} NOT NULL")
    assert rewritten is is_volatile_default(literal_free, type_name)


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("bigint", REWRITE),
        ("jsonb", REWRITE),
        ("order_state", REWRITE),
        ("char(3)", REWRITE),
        ("text", UNKNOWN),
        ("varchar(80)", UNKNOWN),
        ("numeric(12,2)", UNKNOWN),
        ("text[]", REWRITE),
        ("timestamptz", UNLESS_UTC),
        ("", UNKNOWN),
    ],
)
def test_where_nobody_tells_the_old_type(new, told):
    assert type_change("", new) is told


def test_a_type_that_nobody_knows_is_not_judged():
    assert type_change("integer", "") is UNKNOWN
    assert type_change("integer", "serial") is UNKNOWN
    assert type_change("Mood", '"mood"') is FREE
