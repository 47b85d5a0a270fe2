"""`dbguard-stats.json`: the same bytes for the same statistics, a line a column, errors that name the place."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statistics.document import StatisticsFile
from pytest_dbguard.planning.statistics.file import read_statistics, to_text, write_statistics
from pytest_dbguard.planning.statistics.model import (
    ColumnStatistics,
    Dependency,
    IndexStatistics,
    NDistinct,
    Origin,
    Slot,
    Statistics,
    TableStatistics,
)
from pytest_dbguard.planning.statistics.names import join_name, split_name
from pytest_dbguard.schema.catalog import Collation

TEXT = """\
{
  "format": 1,
  "dialect": "postgresql",
  "version": "18.1",
  "taken": "2026-11-01",
  "values": false,
  "collation": {"provider": "libc", "locale": "en_US.UTF-8"},
  "settings": {"random_page_cost": "1.1", "work_mem": "64MB"},
  "notes": [
    "no figures of columns, since the role may not SELECT: public.secret"
  ],
  "tables": {
    "public.orders": {
      "rows": 1240000,
      "pages": 145000,
      "visible": 140000,
      "writes_per_read": 0,
      "columns": {
        "city": {"distinct": 5000, "nulls": 0.02, "width": 11, "correlation": 0},
        "id": {"distinct": -1, "width": 8, "correlation": 1}
      },
      "indexes": {
        "ix_city": {"rows": 1240000, "pages": 10500, "height": 2, "expressions": {"1": {"distinct": 49, "width": 9}}},
        "ix_small": {"pages": 1, "height": 0}
      },
      "combinations": [
        {"columns": ["city", "id"], "distinct": 1240000}
      ],
      "dependencies": [
        {"columns": ["id"], "decides": "city", "degree": 1}
      ]
    },
    "public.secret": {
      "rows": 0.5
    },
    "sales.\\"odd.name\\"": {
      "rows": 0
    }
  }
}
"""

STATISTICS = Statistics(
    tables=(
        TableStatistics(
            "public",
            "orders",
            1_240_000,
            145_000,
            140_000,
            columns=(ColumnStatistics("city", 5000, 0.02, 11, 0), ColumnStatistics("id", -1, 0, 8, 1)),
            indexes=(
                IndexStatistics("ix_city", "orders", 10_500, 1_240_000, 2, columns=(ColumnStatistics("1", 49, 0, 9),)),
                IndexStatistics("ix_small", "orders", 1, 0, 0),
            ),
            combinations=(NDistinct(("city", "id"), 1_240_000),),
            writes_per_read=0,
            origin=Origin.PRODUCTION,
            dependencies=(Dependency(("id",), "city", 1),),
        ),
        TableStatistics("public", "secret", 0.5, origin=Origin.PRODUCTION),
        TableStatistics("sales", "odd.name", 0, origin=Origin.PRODUCTION),
    ),
    origin=Origin.PRODUCTION,
    source="dbguard-stats.json of 2026-11-01",
    taken_at="2026-11-01",
    dialect="postgresql",
    version="18.1",
    collation=Collation("libc", "en_US.UTF-8"),
    settings={"work_mem": "64MB", "random_page_cost": "1.1"},
    notes=("no figures of columns, since the role may not SELECT: public.secret",),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dbguard-stats.json"


def test_statistics_have_one_text(path):
    assert to_text(STATISTICS) == TEXT
    write_statistics(path, STATISTICS)
    assert path.read_text() == TEXT
    assert read_statistics(path) == STATISTICS
    assert to_text(replace(STATISTICS, tables=STATISTICS.tables[::-1])) == TEXT


def test_an_unchanged_file_is_not_touched(path):
    write_statistics(path, STATISTICS)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_statistics(path, STATISTICS)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_a_changed_column_is_one_line_of_a_diff():
    orders = STATISTICS.tables[0]
    columns = (replace(orders.columns[0], n_distinct=5100), orders.columns[1])
    changed = replace(STATISTICS, tables=(replace(orders, columns=columns), *STATISTICS.tables[1:]))
    pairs = zip(to_text(STATISTICS).splitlines(), to_text(changed).splitlines(), strict=True)
    assert len([pair for pair in pairs if pair[0] != pair[1]]) == 1


def test_values_are_only_written_where_the_statistics_say_so(path):
    column = ColumnStatistics("city", 2, 0, 5, slots=(Slot(1, (0.75, 0.25), '{Paris,"New York"}'), Slot(5, (1, 2))))
    table = TableStatistics("public", "t", 4, columns=(column,), origin=Origin.PRODUCTION)
    secret = replace(STATISTICS, tables=(table,))
    assert "Paris" not in to_text(secret)
    assert '"slots"' not in to_text(secret)
    write_statistics(path, replace(secret, has_values=True))
    assert '"values": true' in path.read_text()
    assert read_statistics(path) == replace(secret, has_values=True)


def test_an_empty_database_has_a_file(path):
    write_statistics(path, Statistics(dialect="sqlite", origin=Origin.PRODUCTION))
    assert read_statistics(path).tables == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"format": 1', '"format": 2', "only format 1 is supported, this one is another\n  it was written by a newer"),
        ('"format": 1', '"format": true', "only format 1 is supported"),
        ('  "format": 1,\n', "", 'not a file of statistics: the key "format" is missing'),
        ('"rows": 1240000,\n      "pages"', '"pages"', "tables['public.orders'].rows: missing"),
        ('"distinct": 5000', '"distnct": 5000', "unknown key, did you mean 'distinct'?"),
        (
            '"nulls": 0.02',
            '"nulls": 2',
            "tables['public.orders'].columns.city.nulls: input should be less than or equal to 1",
        ),
        ('"width": 11, "c', '"width": "wide", "c', "columns.city.width: input should be a valid integer"),
        ('"2026-11-01"', '"1 November"', "taken: string should match pattern"),
        ('"dialect": "postgresql"', '"dialect": "mysql"', "dialect: input should be 'postgresql' or 'sqlite'"),
        ('"format": 1,', '"format" 1,', ":2:12: not valid JSON"),
        ("{\n", "{\n<<<<<<< ours\n", ":2: a merge conflict is not resolved"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(path, old, new, told):
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        read_statistics(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_errors_show_no_values(path):
    path.write_text(TEXT.replace('"width": 11, "c', '"width": "PLANTED", "c', 1))
    with pytest.raises(ConfigError) as caught:
        read_statistics(path)
    assert "PLANTED" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[1]", b"\xff\xfe", b"[" * 100_000, b""])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="stats export"):
        read_statistics(path)


def test_files_that_are_not_there_or_cannot_be_written(path, tmp_path):
    with pytest.raises(ConfigError, match="there is no file of statistics"):
        read_statistics(path)
    with pytest.raises(ConfigError, match="cannot read the file of statistics"):
        read_statistics(tmp_path)
    with pytest.raises(ConfigError, match="cannot write the statistics"):
        write_statistics(tmp_path, STATISTICS)


def test_every_field_is_documented():
    schema = StatisticsFile.model_json_schema()
    models = {"the file": schema, **schema["$defs"]}
    bare = [
        f"{name}.{field}"
        for name, model in models.items()
        for field, about in model["properties"].items()
        if not about.get("description")
    ]
    assert bare == []
    assert all(model["description"] for model in models.values())


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(names, min_size=1, max_size=3))
def test_names_are_taken_apart_as_they_were_joined(parts):
    assert split_name(join_name(*parts)) == tuple(parts)


shares = st.floats(0, 1).map(lambda value: round(value, 6))
columns = st.builds(
    ColumnStatistics,
    names,
    st.integers(1, 10**9).map(float) | shares.map(lambda share: -share),
    shares,
    st.integers(0, 10**6),
    st.none() | shares,
)
indexes = st.builds(
    lambda name, pages, rows, height: IndexStatistics(name, "t", pages, float(rows), height),
    names,
    st.integers(0, 10**9),
    st.integers(0, 10**12),
    st.none() | st.integers(0, 6),
)


def by_name(strategy):
    return st.lists(strategy, max_size=4, unique_by=lambda each: each.name).map(
        lambda each: tuple(sorted(each, key=lambda one: one.name))
    )


@given(by_name(columns), by_name(indexes), st.integers(0, 10**13))
def test_whatever_is_written_is_read(columns, indexes, rows):
    table = TableStatistics("s", "t", float(rows), columns=columns, indexes=indexes, origin=Origin.PRODUCTION)
    text = to_text(replace(STATISTICS, tables=(table,)))
    read = StatisticsFile.model_validate(json.loads(text)).statistics("x")
    assert read.tables == (table,)
