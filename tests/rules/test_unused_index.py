"""DBG206: which indexes are said to have no use."""

from __future__ import annotations

import pytest
from assessments import ORDERS, assessment, statement

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.rules.unused_index import UnusedIndex, UnusedIndexOptions
from pytest_dbguard.schema.catalog import Index, IndexKey, Table
from pytest_dbguard.sql.facts.model import Scan

OPTIONS = UnusedIndexOptions(min_statements=1)
ALL = frozenset(("public", index.name) for index in ORDERS.indexes)


def found(*statements, options=OPTIONS, **more):
    return list(UnusedIndex(options).judge(assessment(*statements, **more)))


def names(*statements, **more):
    return [finding.subject for finding in found(*statements, **more)]


def test_what_it_says():
    [finding] = found(statement(), used_indexes=ALL - {("public", "ix_orders_name")})
    assert (finding.rule, finding.severity, finding.site) == ("DBG206", Severity.NOTE, None)
    assert finding.message == "no statement of this run has a use for the index `ix_orders_name` of `orders`"
    assert finding.remedies


def test_an_index_that_is_used_and_a_primary_key():
    assert names(statement(), used_indexes=ALL) == []
    assert names(statement()) == ["ix_orders_name", "ix_orders_name_city"]


def test_a_table_that_the_run_does_not_read():
    assert names(statement(scan=Scan("c", "customer"))) == []


@pytest.mark.parametrize(("number", "expected"), [(49, 0), (50, 2)])
def test_a_run_of_few_statements_is_a_part_of_the_tests(number, expected):
    assert len(names(*[statement()] * number, options=UnusedIndexOptions())) == expected


def test_where_statements_were_left_out():
    assert names(statement(), not_analysed={"no time was left": 1}) == []


@pytest.mark.parametrize(
    "index",
    [
        Index("ix", (IndexKey("customer_id"),)),
        Index("ix", (IndexKey("name"),), is_unique=True),
        Index("ix", (IndexKey("name"),), is_constraint=True),
    ],
)
def test_keys_and_guarantees(index):
    table = Table("public", "orders", columns=ORDERS.columns, indexes=(index,), foreign_keys=ORDERS.foreign_keys)
    assert names(statement(), tables=(table,)) == []
