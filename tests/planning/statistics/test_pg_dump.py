"""What pg_dump 18 writes of statistics; real dumps are read in test_export_postgres.py."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.statistics.file import read_statistics
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Slot
from pytest_dbguard.planning.statistics.pg_dump import is_pg_dump, statistics_of_pg_dump

DUMP = r"""
--
-- PostgreSQL database dump, it's one with pg_restore_relation_stats( in a comment
--
\restrict x
-- Dumped from database version 18.1 (Debian 18.1-1)
SELECT pg_catalog.set_config('search_path', '', false);

SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'version', '180001'::integer,
	'schemaname', 'public',
	'relname', 'it''s',
	'relpages', '33'::integer,
	'reltuples', '1.5e+06'::real,
	'relallvisible', '22'::integer,
	'relallfrozen', '0'::integer
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'version', '180001'::integer,
	'schemaname', 'public',
	'relname', 'it''s',
	'attname', 'city',
	'inherited', 'f'::boolean,
	'null_frac', '0.25'::real,
	'avg_width', '9'::integer,
	'n_distinct', '-0.5'::real,
	'most_common_vals', '{"It''s); \\ one","(two
lines"}'::text,
	'most_common_freqs', '{0.5,0.25}'::real[],
	'histogram_bounds', NULL::text,
	'correlation', '-0.75'::real
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'schemaname', 'public', 'relname', 'it''s', 'attname', E'back\\sl''ash', 'inherited', 'f'::boolean,
	'null_frac', '0'::real, 'avg_width', '4'::integer, 'n_distinct', '7'::real
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'schemaname', 'public', 'relname', 'it''s', 'attname', 'city', 'inherited', 't'::boolean,
	'null_frac', '0'::real, 'avg_width', '1'::integer, 'n_distinct', '1'::real
);
SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'schemaname', 'public', 'relname', 'ix_lower', 'relpages', '5'::integer, 'reltuples', '100'::real
);
SELECT * FROM pg_catalog.pg_restore_attribute_stats(
	'schemaname', 'public', 'relname', 'ix_lower', 'attnum', '1'::smallint, 'inherited', 'f'::boolean,
	'null_frac', '0'::real, 'avg_width', '8'::integer, 'n_distinct', '50'::real
);
SELECT * FROM pg_catalog.pg_restore_relation_stats(
	'schemaname', 'public', 'relname', 'parent', 'relpages', '-1'::integer, 'reltuples', '-1'::real
);
"""


def test_sizes_and_figures_are_read_and_values_dropped():
    found = statistics_of_pg_dump(DUMP, source="prod.sql")
    assert [table.name for table in found.tables] == ["it's"]
    table = found.tables[0]
    assert (table.rows, table.pages, table.all_visible, table.origin) == (1_500_000, 33, 22, Origin.PRODUCTION)
    assert table.columns == (ColumnStatistics("back\\sl'ash", 7, 0, 4), ColumnStatistics("city", -0.5, 0.25, 9, -0.75))
    assert (found.source, found.version, found.dialect, found.has_values) == ("prod.sql", "18.1", "postgresql", False)


def test_values_are_kept_where_they_are_asked_for():
    found = statistics_of_pg_dump(DUMP, values=True)
    assert found.has_values
    assert found.tables[0].column("city").slots == (Slot(1, (0.5, 0.25), '{"It\'s); \\\\ one","(two\nlines"}'),)


def test_what_may_be_an_index_is_loose():
    loose = {table.name: table for table in statistics_of_pg_dump(DUMP).loose}
    assert loose.keys() == {"ix_lower", "parent"}
    assert [column.name for column in loose["ix_lower"].columns] == ["1"]
    assert (loose["parent"].rows, loose["parent"].pages) == (0, 0)


def test_a_file_of_pg_dump_is_told_from_our_own(tmp_path):
    path = tmp_path / "statistics.sql"
    path.write_text(DUMP)
    assert read_statistics(path).source == "statistics.sql"
    assert is_pg_dump(DUMP)
    assert not is_pg_dump('{"notes": ["pg_restore_relation_stats("]}')
    assert not is_pg_dump("SELECT 1")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            "SELECT\npg_restore_relation_stats('relpages', '5'::integer);",
            "x.sql:2: pg_restore_relation_stats without a",
        ),
        ("SELECT pg_restore_relation_stats('relname', 't', 'relpages', 'many');", "x.sql:1: .* a number is no number"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(call, told):
    with pytest.raises(ConfigError, match=told):
        statistics_of_pg_dump(call, source="x.sql")
