"""Terms that no index serves as they are written: why, what to write, and which index would."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.assessment import Obstacle
from pytest_dbguard.planning.candidates.unusable import unusable
from pytest_dbguard.planning.candidates.wanted import wanted
from pytest_dbguard.schema.catalog import Dialect, IndexKey
from pytest_dbguard.sql.facts.statement import statement_facts
from tests.planning.candidates.tables import catalog, column, index, table

VARCHAR = "character varying(40)"
TRGM = ("CREATE EXTENSION IF NOT EXISTS pg_trgm",)


def person(*indexes):
    columns = [column("name", VARCHAR), column("code", "character(4)"), column("age"), column("state", VARCHAR)]
    times = [column("at", "timestamp without time zone"), column("seen", "timestamp with time zone")]
    return table("person", *columns, *times, column("data", "jsonb"), column("boss_id"), indexes=indexes)


def both(where, *indexes, dialect=Dialect.POSTGRESQL, **more):
    made = catalog(person(*indexes), dialect=dialect, **more)
    sql = f"SELECT person.id FROM person WHERE {where}"
    facts = statement_facts(sql, dialect=dialect.value, columns=made.columns_of(["person"]))
    assert facts.is_analysed, facts.problem
    return unusable(facts, made, None, sql=sql), wanted(facts, made, None, sql=sql)


def told(where, *indexes, **more):
    found, proposed = both(where, *indexes, **more)
    assert not (found and proposed)
    return [(each.obstacle, each.spec.keys if each.spec else None, each.rewrite) for each in found]


RANGE = "at >= :start AND at < :end"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("lower(name) = $1", (Obstacle.FUNCTION, ("lower(name)",), "")),
        ("date(at) = $1", (Obstacle.FUNCTION, ("date(at)",), RANGE)),
        ("at::date = $1", (Obstacle.CAST, ("(CAST(at AS DATE))",), RANGE)),
        ("date_trunc('day', at) = $1", (Obstacle.FUNCTION, ("date_trunc('day', at)",), RANGE)),
        ("date_trunc($2, at) = $1", (Obstacle.FUNCTION, None, RANGE)),
        ("EXTRACT(year FROM at) = $1", (Obstacle.FUNCTION, ("EXTRACT(YEAR FROM at)",), RANGE)),
        ("date(seen) = $1", (Obstacle.FUNCTION, None, RANGE.replace("at", "seen"))),
        ("to_char(at, 'YYYY') = $1", (Obstacle.FUNCTION, None, RANGE)),
        ("CAST(age AS VARCHAR) = $1", (Obstacle.CAST, ("(CAST(age AS VARCHAR))",), "age = :value")),
        ("age + 1 = $1", (Obstacle.ARITHMETIC, ("(age + 1)",), "age alone on its side of the comparison")),
        ("age + $2 > $1", (Obstacle.ARITHMETIC, None, "age alone on its side of the comparison")),
        ("substr(name, 1, 3) = $1", (Obstacle.FUNCTION, ("substr(name, 1, 3)",), "")),
        ("coalesce(name, $2) = $1", (Obstacle.FUNCTION, None, "")),
        ("name LIKE '%abc%'", (Obstacle.LEADING_WILDCARD, None, "")),
        ("name ILIKE 'abc%'", (Obstacle.CASE_INSENSITIVE, None, "")),
        ("age = $1::NUMERIC", (Obstacle.TYPE, None, "")),
        ("code = $1::TEXT", (Obstacle.TYPE, None, "")),
    ],
)
def test_of_postgres(where, expected):
    assert told(where) == [expected]


@pytest.mark.parametrize(
    "where",
    [
        "length(name) > 5",
        "EXTRACT(month FROM at) = $1",
        "lower(state) = $1",
        "data ->> 'a' = $1",
        "data @> $1",
        "lower(name) <> $1",
        "name NOT LIKE '%abc%'",
        "age = $1::BIGINT",
        "code = $1::VARCHAR",
        "CAST(name AS TEXT) = $1 AND id = 3",
        "id = $1 AND lower(name) = $2",
        "greatest(age, boss_id) = $1",
        "age = abs($1)",
    ],
)
def test_silent(where):
    assert told(where) == []


def test_a_cast_from_text_to_text_hinders_no_index_of_postgres():
    found, proposed = both("CAST(name AS TEXT) = $1")
    assert not found
    assert [each.spec.keys for each in proposed] == [("name",)]
    assert both("CAST(name AS TEXT) = $1", index("ix", "name")) == ((), ())


def test_an_index_on_the_expression_serves():
    assert told("lower(name) = $1", index("ix", "lower((name)::text)")) == []
    assert told("upper(name) = $1", index("ix", "lower((name)::text)")) != []
    assert told("at::date = $1", index("ix", "(at)::date")) == []


def test_searches_take_trigrams_where_the_extension_is_there():
    assert told("name LIKE '%abc%'", prelude=TRGM) == [(Obstacle.LEADING_WILDCARD, ("name gin_trgm_ops",), "")]
    gin = index("ix", IndexKey("name", operator_class="gin_trgm_ops"), method="gin")
    assert told("name ILIKE '%abc%'", gin, prelude=TRGM) == []
    both_columns = told("(name LIKE '%abc%' OR state LIKE '%abc%')", prelude=TRGM)
    assert both_columns == [(Obstacle.LEADING_WILDCARD, ("name gin_trgm_ops", "state gin_trgm_ops"), "")]


@pytest.mark.parametrize(
    ("keys", "locale", "expected"),
    [
        (("name",), "en_US.UTF-8", [(Obstacle.PATTERN_CLASS, ("name varchar_pattern_ops",), "")]),
        (("name",), "C", []),
        ((IndexKey("name", operator_class="varchar_pattern_ops"),), "en_US.UTF-8", []),
        ((IndexKey("name", collation="C"),), "en_US.UTF-8", []),
        (("name",), "", []),
    ],
)
def test_prefixes_with_an_index_of_postgres(keys, locale, expected):
    assert told("name LIKE 'abc%'", index("ix_name", *keys), locale=locale) == expected


@pytest.mark.parametrize("where", ["age % 2 = 0", "age % $1 = $2", "mod(age, 2) = 0", "age & 4 = 4", "(age >> 2) = 1"])
def test_remainders_and_bits_cannot_be_written_otherwise(where):
    assert told(where) == []


def test_a_pattern_without_wildcards_is_a_value():
    assert told("name LIKE 'abc'", index("ix_name", "name")) == []
    assert [each.spec.keys for each in both("name LIKE 'abc'")[1]] == [("name",)]


def test_what_hinders_an_index_that_exists():
    partial = index("ix_open", "age", predicate="((state)::text = 'open'::text)")
    assert told("age = $1", partial)[0][:2] == (Obstacle.PREDICATE, ("age",))
    assert told("age = $1 AND state = 'closed'", partial)[0][0] is Obstacle.PREDICATE
    assert told("age = $1 AND state = 'open'", partial) == []
    assert told("age = $1 AND state = $2", partial) == []
    assert told("age = $1 ORDER BY name LIMIT 5", partial)[0][:2] == (Obstacle.PREDICATE, ("age", "name"))
    taken = index("ix_person_age", "age", predicate="(state IS NULL)")
    assert both("age = $1", taken)[0][0].spec.name == "ix_person_age_2"
    broken = index("ix_broken", "age", is_valid=False)
    assert told("age = $1", broken) == [(Obstacle.INVALID, None, "REINDEX INDEX CONCURRENTLY ix_broken")]
    other = index("ix_c", IndexKey("name", collation="C"))
    assert told("name = $1", other)[0][0] is Obstacle.COLLATION


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("date(at) = ?", (Obstacle.FUNCTION, ("date(at)",), RANGE)),
        ("strftime('%Y-%m', at) = ?", (Obstacle.FUNCTION, None, RANGE)),
        ("name LIKE '%abc'", (Obstacle.LEADING_WILDCARD, None, "")),
        ("name LIKE 'abc' || '%'", (Obstacle.CASE_INSENSITIVE, None, "name LIKE :pattern")),
        ("lower(name) LIKE lower('abc%')", (Obstacle.CASE_INSENSITIVE, None, "")),
        ("ifnull(name, 0) = ?", (Obstacle.FUNCTION, ("ifnull(name, 0)",), "")),
        ("name COLLATE NOCASE = ?", (Obstacle.COLLATION, ("name COLLATE NOCASE",), "")),
    ],
)
def test_of_sqlite(where, expected):
    assert told(where, dialect=Dialect.SQLITE) == [expected]


def test_collations_of_sqlite():
    nocase, plain = index("ix", IndexKey("name", collation="NOCASE")), index("ix", "name")
    assert told("name COLLATE NOCASE = ?", nocase, dialect=Dialect.SQLITE) == []
    assert told("name = ?", nocase, dialect=Dialect.SQLITE)[0][0] is Obstacle.COLLATION
    assert told("name LIKE 'abc%'", nocase, dialect=Dialect.SQLITE) == []
    assert told("name LIKE 'abc%'", plain, dialect=Dialect.SQLITE)[0][:2] == (
        Obstacle.COLLATION,
        ("name COLLATE NOCASE",),
    )
    assert told("name GLOB 'abc*'", plain, dialect=Dialect.SQLITE) == []


def test_types_that_are_joined():
    amount = table("amount", column("value", "numeric"), column("person_id"))
    sql = "SELECT person.id FROM amount JOIN person ON person.age = amount.value WHERE amount.id = 3"
    made = catalog(person(index("ix_age", "age")), amount)
    facts = statement_facts(sql, dialect="postgresql", columns=made.columns_of(["person", "amount"]))
    found = unusable(facts, made, None, sql=sql)
    assert [(each.obstacle, each.table, each.index) for each in found] == [(Obstacle.TYPE, "person", "ix_age")]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_is_only_a_bound_of_another_scan_is_no_obstacle(dialect):
    made = catalog(person(), dialect=dialect)
    sql = "SELECT d.id FROM person AS p JOIN person AS d ON d.age > p.age + 8"
    facts = statement_facts(sql, dialect=dialect.value, columns=made.columns_of(["person"]))
    assert unusable(facts, made, None, sql=sql) == ()
