"""`dbguard-workload.json`: what comes back, what is never in it, what is said of a broken one."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Site
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.workload import Call, Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.planning.workload_document import MAX_STATEMENTS, MAX_TEXT, MAX_USES
from pytest_dbguard.planning.workload_file import (
    is_workload_file,
    read_document,
    read_workload,
    to_text,
    write_workload,
)
from pytest_dbguard.planning.workload_source import is_workload_source, read_workload_source
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Index, IndexKey, Table
from pytest_dbguard.sql.shape import read_statement
from tests.planning.corpus import corpus

ORDERS = Table(
    "public",
    "orders",
    columns=(Column("id", "integer", nullable=False), Column("state", "text"), Column("city", "text")),
    primary_key=("id",),
    indexes=(Index("ix_late", (IndexKey("id"),), predicate="(state = 'late'::text)"),),
)
CATALOG = Catalog(Dialect.POSTGRESQL, tables=(ORDERS,), search_path=("public",))
SITE = Site("shop/orders.py", 12, 5, "by_city", 12, 40)


def statement(text, style="pyformat", values=None, uses=(Use(SITE, 3, ("t::a",)),), **more):
    read = read_statement(text)
    longest, sets = more.pop("longest_list", 0), more.pop("literal_sets", 1)
    exemplar = Exemplar(text, style, MappingProxyType(values or {}), longest, sets)
    return WorkloadStatement(read.shape, exemplar, uses, read.verb, **more)


def workload(*statements, **more):
    return Workload("s1", statements, **more)


def again(tmp_path, *pairs, **more):
    path = tmp_path / "workload.json"
    write_workload(path, pairs, **{"source": "run", "made_at": "2026-11-29T18:00:00+00:00", **more})
    return read_workload(path)


def test_all_but_values_and_tests_comes_back(tmp_path):
    uses = (
        Use(SITE, 7, ("t::a", "t::b"), scope="GET /orders", call=Call(("execute", "one"), "truth")),
        Use(Site("tests/test_a.py", 3, in_test_code=True), 2, ("t::a",), in_test_code=True),
        Use(None, 1, ()),
    )
    text = "SELECT id FROM orders WHERE city = %(city)s AND state = 'late' AND id IN (1, 2) LIMIT %(limit)s"
    given = statement(
        text, values={0: ("Rome",), 1: (10, 50)}, uses=uses, mean_ms=1.25, longest_list=900, literal_sets=4
    )
    skipped = MappingProxyType({"too many different statements": 2})
    ((read, catalog),) = again(tmp_path, (workload(given, skipped=skipped), CATALOG))
    assert catalog == CATALOG
    assert read.schema_id == "s1"
    assert read.skipped == skipped
    (found,) = read.statements
    assert found.shape == given.shape
    assert (found.verb, found.mean_ms, found.count) == ("SELECT", 1.25, 10)
    assert [use.site for use in found.uses] == [use.site for use in uses]
    assert [(use.count, use.scope, use.call, use.in_test_code) for use in found.uses] == [
        (use.count, use.scope, use.call, use.in_test_code) for use in uses
    ]
    assert all(use.tests == () for use in found.uses)
    assert found.exemplar == Exemplar(
        "SELECT id FROM orders WHERE city = $1 AND state = 'late' AND id IN ($2, $3) LIMIT $4",
        "numeric_dollar",
        MappingProxyType({3: (50,)}),
        900,
        4,
    )


def test_no_value_of_a_statement_is_in_the_file(tmp_path):
    secrets = [
        statement("SELECT id FROM orders WHERE city = 'hidden-1' OR city LIKE 'hidden-2%%'"),
        statement("SELECT id FROM orders WHERE city = %(c)s AND id = 77712", values={0: ("hidden-3",)}),
        statement("UPDATE orders SET city = 'hidden-4' WHERE id = 77713 /* hidden-5 */"),
        statement("INSERT INTO orders (city) VALUES ('hidden-6'), ('hidden-7')"),
        statement("SELECT id FROM orders WHERE city LIKE %(c)s", values={0: ("hidden-8%",)}),
    ]
    again(tmp_path, (workload(*secrets), CATALOG))
    text = (tmp_path / "workload.json").read_text()
    assert "hidden" not in text
    assert "7771" not in text
    assert '"abc%"' in text


def test_the_same_workload_gives_the_same_bytes_in_any_order():
    one, other = statement("SELECT id FROM orders"), statement("SELECT city FROM orders")
    texts = {
        to_text([(workload(*order), CATALOG), (Workload("s0"), None)], source="run")
        for order in ([one, other], [other, one])
    }
    texts |= {to_text([(Workload("s0"), None), (workload(one, other), CATALOG)], source="run")}
    assert len(texts) == 1
    (text,) = texts
    assert sum(line.startswith('        {"id"') for line in text.splitlines()) == 2


def test_a_file_that_says_the_same_is_not_touched(tmp_path):
    given = (workload(statement("SELECT id FROM orders")), CATALOG)
    again(tmp_path, given)
    again(tmp_path, given, made_at="2026-12-01T00:00:00+00:00")
    assert read_document(tmp_path / "workload.json").made == "2026-11-29T18:00:00+00:00"
    again(tmp_path, (workload(), CATALOG), made_at="2026-12-01T00:00:00+00:00")
    assert read_document(tmp_path / "workload.json").made == "2026-12-01T00:00:00+00:00"


def test_it_is_bounded(tmp_path):
    many = [
        statement(f"SELECT c{number} FROM orders", uses=(Use(None, number + 1, ()),))
        for number in range(MAX_STATEMENTS)
    ]
    places = tuple(Use(Site("a.py", line + 1), 5_000 - line, ()) for line in range(MAX_USES + 9))
    often = statement("SELECT id FROM orders", uses=places)
    long = statement("SELECT " + ", ".join(["city"] * MAX_TEXT) + " FROM orders", uses=(Use(None, 9_000, ()),))
    ((read, _),) = again(tmp_path, (workload(*many, often, long), CATALOG))
    assert len(read.statements) == MAX_STATEMENTS - 1
    assert dict(read.skipped) == {"its text has more than 20,000 characters": 1, "more than 5,000 statements": 2}
    by_text = {each.shape.text: each for each in read.statements}
    assert len(by_text["SELECT id FROM orders"].uses) == MAX_USES
    assert "SELECT c0 FROM orders" not in by_text


def test_without_a_catalog_the_style_tells_the_database(tmp_path):
    mixed = workload(
        statement("SELECT id FROM orders WHERE city = ? AND id = 5", "qmark"),
        statement("SELECT id FROM orders WHERE id = 5 AND city = $1", "numeric_dollar"),
        WorkloadStatement(read_statement("SELECT 1").shape, None, ()),
    )
    ((read, catalog),) = again(tmp_path, (mixed, None), source="production")
    assert catalog is None
    assert {each.exemplar.text if each.exemplar else None for each in read.statements} == {
        "SELECT id FROM orders WHERE city = ? AND id = ?",
        "SELECT id FROM orders WHERE id = $1 AND city = $2",
        None,
    }


def broken(change):
    document = json.loads(to_text([(workload(statement("SELECT id FROM orders")), CATALOG)], source="run"))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", '"kind" is not "dbguard-workload"'),
        ("<<<<<<< ours\n{}", ":1: a merge conflict is not resolved"),
        ("[" * 100_000, "nested too deeply"),
        (broken(lambda document: document.update(version=2)), "only version 1 is supported"),
        (broken(lambda document: document.update(version=True)), "only version 1 is supported"),
        (broken(lambda document: document.update(source="secret-source")), "source: input should be"),
        (
            broken(lambda document: document["schemas"][0]["statements"][0].pop("id")),
            "schemas[0].statements[0].id: missing",
        ),
        (
            broken(lambda document: document["schemas"][0]["catalog"].update(tables=[{"secret": 1}])),
            "schemas: a catalog",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_without_its_values(tmp_path, text, told):
    path = tmp_path / "workload.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_workload(path)
    assert told in caught.value.message
    assert "secret" not in str(caught.value)
    assert "--dbguard-save-workload" in str(caught.value)


def test_files_that_cannot_be_read_or_written_are_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no workload file"):
        read_workload(tmp_path / "gone.json")
    (tmp_path / "latin.json").write_bytes(b'{"kind": "\xff"}')
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_workload(tmp_path / "latin.json")
    with pytest.raises(ConfigError, match="cannot read"):
        read_workload(tmp_path)
    with pytest.raises(ConfigError, match="cannot write"):
        write_workload(tmp_path, [], source="run")


def test_files_are_told_by_their_content(tmp_path):
    saved, export, other = tmp_path / "saved.json", tmp_path / "export.csv", tmp_path / "other.json"
    write_workload(saved, [(workload(), CATALOG)], source="production", made_at="2026-11-29")
    export.write_text("query,calls\nSELECT id FROM orders,4\n")
    other.write_text('{"name": "x"}')
    assert [is_workload_file(path) for path in (saved, export, other, tmp_path / "gone")] == [True, False, False, False]
    assert [is_workload_source(path) for path in (saved, export, other)] == [True, True, False]
    assert not is_workload_source(tmp_path / "gone")
    loaded = read_workload_source(saved)
    assert (loaded.source, loaded.made_at, len(loaded.pairs)) == ("production", "2026-11-29", 1)
    loaded = read_workload_source(export)
    assert loaded.source == "pg_stat_statements"
    assert loaded.pairs[0][0].statements[0].count == 4
    with pytest.raises(ConfigError, match="neither a workload file nor an export"):
        read_workload_source(other)
    with pytest.raises(ConfigError, match="there is no"):
        read_workload_source(tmp_path / "gone")


def test_a_saved_run_wants_the_same_indexes(tmp_path):
    made = corpus.catalog("desk", Dialect.POSTGRESQL)
    found = {
        read_statement(case.exemplar.text).shape: case.exemplar
        for case in corpus.cases()
        if (case.schema, case.dialect, case.part) == ("desk", Dialect.POSTGRESQL, "")
    }
    ran = workload(*(WorkloadStatement(shape, exemplar, (Use(None, 1, ()),)) for shape, exemplar in found.items()))
    assert len(ran.statements) > 50
    ((read, catalog),) = again(tmp_path, (ran, made))
    wanted = []
    for each in (ran, read):
        assessment = assess(each, catalog, corpus.statistics(catalog), None, no_lab="nobody asked", deadline_s=300)
        assert not assessment.not_analysed
        wanted.append({it.statement.shape.id: {want.spec for want, _ in it.wanted} for it in assessment.statements})
    assert wanted[0] == wanted[1]
    assert sum(map(bool, wanted[0].values())) > 15


def test_a_longer_list_than_is_kept_is_told(tmp_path):
    text = f"SELECT id FROM orders WHERE id IN ({', '.join(['%s'] * 1_500)})"
    ((read, _),) = again(tmp_path, (workload(statement(text, "format")), CATALOG))
    assert read.statements[0].exemplar.longest_list == 1_500
