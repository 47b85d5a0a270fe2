"""Exports of `pg_stat_statements`: of every version, in every form, with all that such files hold."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.pg_stat_statements import read_pg_stat_statements

SELECT = "SELECT id FROM orders WHERE city = $1 LIMIT $2"
# as psql's \copy writes them
V8 = "userid,dbid,queryid,query,plans,total_plan_time,calls,total_exec_time,min_exec_time,mean_exec_time,rows"
V12 = (
    "userid,dbid,toplevel,queryid,query,plans,calls,total_exec_time,mean_exec_time,rows,"
    "shared_blks_hit,shared_blk_read_time,jit_functions,stats_since,parallel_workers_to_launch,generic_plan_calls"
)


def read(tmp_path, text, name="export.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_pg_stat_statements(path)


def rows(tmp_path, *found):
    return read(tmp_path, json.dumps([{"calls": 10, **row} for row in found]), "export.json")


@pytest.mark.parametrize(
    "text",
    [
        f'{V8}\n10,5,-77,"{SELECT}",0,0,40,100,0.5,2.5,800\n',
        f'{V12}\n10,5,t,-77,"{SELECT}",0,40,100,2.5,800,9,0,0,2026-11-01 10:00:00+00,0,0\n',
        f'query,calls,total_time,mean_time,rows\n"{SELECT}",40,100,2.5,800\n',
        f"query;calls;total_time;rows\n{SELECT};40;100;800\n",
        f"Query\tCalls\tTotal_Exec_Time\tRows\r\n{SELECT}\t40\t100\t800\r\n",
    ],
    ids=["1.8", "1.12", "1.7", "semicolons", "tabs"],
)
def test_csv_of_any_version(tmp_path, text):
    result = read(tmp_path, text)
    (found,) = result.statements
    assert (found.count, found.mean_ms, found.verb) == (40, 2.5, "SELECT")
    assert found.shape.text == "SELECT id FROM orders WHERE city = ? LIMIT ?"
    assert found.exemplar.text == SELECT
    assert found.exemplar.style == "numeric_dollar"
    # 800 rows of 40 calls
    assert found.exemplar.values == {1: (20,)}
    assert found.uses[0].site is None
    assert not result.skipped


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"query": SELECT, "calls": 40, "mean_exec_time": 2.5}], indent=1),
        json.dumps({"statements": [{"query": SELECT, "calls": "40", "mean_exec_time": "2.5"}]}),
        json.dumps({"QUERY": SELECT, "Calls": 40, "mean_exec_time": 2.5}),
        "\n".join([json.dumps({"query": SELECT, "calls": 20, "mean_exec_time": 2.5})] * 2),
    ],
    ids=["rows", "rows within", "one row", "lines"],
)
def test_json_of_any_form(tmp_path, text):
    (found,) = read(tmp_path, text, "export.json").statements
    assert (found.count, found.mean_ms) == (40, 2.5)


def test_what_is_left_out_is_counted_and_never_shown(tmp_path):
    result = rows(
        tmp_path,
        {"query": SELECT},
        {"query": "<insufficient privilege>"},
        {"query": None},
        {"query": "ALTER ROLE ann PASSWORD 'secret'"},
        {"query": "SET application_name = 'secret'"},
        {"query": "BEGIN"},
        {"query": "SELECT id FROM orders WHERE city = $1 AND (name ="},
        {"query": "SELECT id FROM orders WHERE city IN ($1, $2..."},
        {"query": "SELECT id FROM orders WHERE city = 'sec"},
        {"query": "SELECT relname FROM pg_catalog.pg_class WHERE oid = $1"},
        {"query": "SELECT column_name FROM information_schema.columns"},
        {"query": "SELECT id FROM orders", "toplevel": False},
        {"query": "SELECT id FROM orders", "calls": 0},
        {"query": "SELECT id FROM orders", "calls": "many"},
    )
    assert [each.shape.text for each in result.statements] == ["SELECT id FROM orders WHERE city = ? LIMIT ?"]
    assert dict(result.skipped) == {
        "functions run them": 1,
        "no statements that have a plan": 3,
        "nobody knows how often they ran": 2,
        "statements of other users are hidden from who made the export": 2,
        "their texts are cut off": 3,
        "they read the server's own tables": 2,
    }
    assert "secret" not in repr(result)


def test_rows_of_one_shape_are_one_statement(tmp_path):
    result = rows(
        tmp_path,
        {"query": "SELECT id FROM orders WHERE id IN ($1, $2)", "calls": 10, "mean_exec_time": 1.0, "userid": 10},
        {"query": "SELECT id FROM orders WHERE id IN ($1, $2, $3)", "calls": 30, "mean_exec_time": 2.0, "userid": 11},
    )
    (found,) = result.statements
    assert (found.count, found.mean_ms) == (40, 1.75)
    assert len(found.uses) == 1


def test_literals_that_are_left_go(tmp_path):
    (found,) = rows(tmp_path, {"query": "SELECT id FROM orders WHERE city = 'secret' AND d > interval $1"}).statements
    assert found.exemplar.text == "SELECT id FROM orders WHERE city = $1 AND d > $2::INTERVAL"


def test_what_is_taken_of_a_time_is_no_parameter(tmp_path):
    text = "SELECT id FROM orders WHERE EXTRACT($1 FROM placed_at) = $2 AND city = $3"
    (found,) = rows(tmp_path, {"query": text}).statements
    assert found.exemplar.text == "SELECT id FROM orders WHERE EXTRACT(year FROM placed_at) = $1 AND city = $2"


def test_several_limits_are_nobodys(tmp_path):
    text = "SELECT a FROM (SELECT id AS a FROM orders LIMIT $1) AS t LIMIT $2"
    (found,) = rows(tmp_path, {"query": text, "rows": 100}).statements
    assert found.exemplar.values == {}


def test_names_of_tables_like_those_of_views_are_no_servers(tmp_path):
    assert len(rows(tmp_path, {"query": "SELECT id FROM columns"}, {"query": "SELECT $1"}).statements) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "no column 'query' and none 'calls'"),
        ("query,count\nSELECT 1,2\n", "no column 'calls'"),
        ('[{"query": "secret"', "not valid JSON"),
        ("[1]", "not rows"),
        ('[{"statement": "secret"}]', "no column 'query'"),
        ("[" * 100_000, "nested too deeply"),
        ("", "no column"),
    ],
)
def test_what_is_no_export_is_told_without_its_values(tmp_path, text, told):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert told in caught.value.message
    assert "secret" not in str(caught.value)
    assert r"\copy" in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no export"):
        read_pg_stat_statements(tmp_path / "gone.csv")
    with pytest.raises(ConfigError, match="cannot read"):
        read_pg_stat_statements(tmp_path)
