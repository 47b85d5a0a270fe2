"""The facts of the 22 queries of TPC-H, in a spelling of our own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_dbguard.sql.facts.statement import statement_facts
from tests.sql.facts.rendering import lines_of

CASES = tomllib.loads((Path(__file__).parent / "cases" / "tpch.toml").read_text())["case"]
COLUMNS = {
    "region": ("r_regionkey", "r_name", "r_comment"),
    "nation": ("n_nationkey", "n_name", "n_regionkey", "n_comment"),
    "supplier": ("s_suppkey", "s_name", "s_address", "s_nationkey", "s_phone", "s_acctbal", "s_comment"),
    "customer": ("c_custkey", "c_name", "c_address", "c_nationkey", "c_phone", "c_acctbal", "c_mktsegment"),
    "part": ("p_partkey", "p_name", "p_mfgr", "p_brand", "p_type", "p_size", "p_container", "p_retailprice"),
    "partsupp": ("ps_partkey", "ps_suppkey", "ps_availqty", "ps_supplycost", "ps_comment"),
    "orders": (
        *("o_orderkey", "o_custkey", "o_orderstatus", "o_totalprice", "o_orderdate", "o_orderpriority", "o_clerk"),
        *("o_shippriority", "o_comment"),
    ),
    "lineitem": (
        *("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount"),
        *("l_tax", "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipmode"),
    ),
}


@pytest.mark.parametrize("case", CASES, ids=[f"q{number}" for number in range(1, len(CASES) + 1)])
def test_facts(case):
    facts = statement_facts(case["sql"], dialect="postgresql", columns=COLUMNS)
    assert lines_of(facts) == case["postgresql"]


def test_all_22_are_there():
    assert len(CASES) == 22
