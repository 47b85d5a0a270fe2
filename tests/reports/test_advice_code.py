"""Advice as code that can be run."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from pytest_dbguard.reports.advice_code import alembic_revision, heads_in, spec_of_index, sql_statements
from pytest_dbguard.schema.catalog import Dialect, RelationKind
from tests.reports.advices import CITY, NAME, advice, catalog


class Op:
    """Keeps what a migration does."""

    def __init__(self):
        self.done = []
        self.is_outside = False

    def get_context(self):
        return self

    def autocommit_block(self):
        return self

    def __enter__(self):
        self.is_outside = True

    def __exit__(self, *_):
        self.is_outside = False

    def create_index(self, name, table, columns, **options):
        self.done.append(("create", name, table, [str(column) for column in columns], options, self.is_outside))

    def drop_index(self, name, **options):
        self.done.append(("drop", name, options, self.is_outside))


def run(source, function):
    op = Op()
    names = {"op": op, "sa": sa}
    lines = [line for line in source.splitlines() if not line.startswith(("import ", "from "))]
    exec(compile("\n".join(lines), "revision.py", "exec"), names)  # noqa: S102  it is ours
    names[function]()
    return op.done, names


def test_sql():
    assert sql_statements(advice(), catalog()) == (
        "CREATE INDEX CONCURRENTLY ix_orders_city_at_desc ON orders (city, at DESC) INCLUDE (total);",
        "DROP INDEX CONCURRENTLY ix_orders_city;",
        "-- to review: DROP INDEX CONCURRENTLY ix_orders_lower;",
    )
    assert not any("CONCURRENTLY" in each for each in sql_statements(advice(), catalog(Dialect.SQLITE)))
    assert not any("CONCURRENTLY" in each for each in sql_statements(advice(), catalog(kind=RelationKind.PARTITIONED)))


def test_a_migration_makes_and_drops_outside_of_transactions():
    done, names = run(alembic_revision(advice(), catalog(), ["abc"]), "upgrade")
    options = {"postgresql_include": ["total"], "postgresql_concurrently": True}
    assert done == [
        ("create", "ix_orders_city_at_desc", "orders", ["city", "at DESC"], options, True),
        ("drop", "ix_orders_city", {"table_name": "orders", "postgresql_concurrently": True}, True),
    ]
    assert names["down_revision"] == "abc" and names["revision"].isalnum()


def test_a_migration_can_be_undone():
    done, _ = run(alembic_revision(advice(), catalog()), "downgrade")
    assert [each[:2] for each in done] == [("create", "ix_orders_city"), ("drop", "ix_orders_city_at_desc")]


@pytest.mark.parametrize("heads", [(), ("a",), ("a", "b")])
def test_what_a_migration_follows(heads):
    _, names = run(alembic_revision(advice(), catalog(), heads), "upgrade")
    assert names["down_revision"] == (None if not heads else heads[0] if len(heads) == 1 else heads)


def test_a_migration_without_indexes_does_nothing():
    done, _ = run(alembic_revision(advice(indexes=(), drops=()), catalog()), "upgrade")
    assert done == []


def test_one_for_sqlite_needs_no_block():
    done, _ = run(alembic_revision(advice(), catalog(Dialect.SQLITE)), "upgrade")
    assert [each[-1] for each in done] == [False, False]


def test_existing_indexes_as_new_ones():
    table = catalog().tables[0]
    assert spec_of_index(table, CITY).keys == ("city",)
    assert spec_of_index(table, NAME).keys == ("(lower(name))", "at DESC")


def test_heads_of_revisions(tmp_path):
    assert heads_in(tmp_path) == ()
    (tmp_path / "a.py").write_text('revision = "a"\ndown_revision = None\n')
    (tmp_path / "b.py").write_text('revision: str = "b"\ndown_revision: str = "a"\n')
    (tmp_path / "c.py").write_text('revision = "c"\ndown_revision = ("a",)\n')
    (tmp_path / "broken.py").write_text("revision = (\n")
    (tmp_path / "other.py").write_text("revision = something()\n")
    assert heads_in(tmp_path) == ("b", "c")


def test_alembic_takes_it():
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "transaction_per_migration": True}
    )
    with Operations.context(context), context.begin_transaction(_per_migration=True):
        names = {}
        exec(compile(alembic_revision(advice(), catalog()), "revision.py", "exec"), names)  # noqa: S102  it is ours
        names["upgrade"]()
    statements = " ".join(written.getvalue().split())
    made = "CREATE INDEX CONCURRENTLY ix_orders_city_at_desc ON orders (city, at DESC) INCLUDE (total);"
    assert f"COMMIT; {made}" in statements and "DROP INDEX CONCURRENTLY ix_orders_city; BEGIN;" in statements
