"""What a revision does is read from its code as it would run."""

from __future__ import annotations

import textwrap

import pytest

from pytest_dbguard.linting.alembic_scripts import alembic_migration
from pytest_dbguard.schema.migration import StepKind

HEAD = 'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "2f6a"\ndown_revision = "1c3e"\n'


def migration(body, *, more="", **options):
    """The migration of a script whose `upgrade` has a body, with more code before it."""
    code = f"{HEAD}{textwrap.dedent(more)}\ndef upgrade():\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    return alembic_migration(code, "migrations/versions/2f6a.py", **options)


def steps(body, *, more="", **options):
    """(kind, table, name) of each step."""
    return [(step.kind.value, step.table, step.name) for step in migration(body, more=more, **options).steps]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "revision = 'x'\ndef downgrade(): pass",
        "revision = None\ndef upgrade(): pass",
        "def upgrade():\n    revision = '2f6a'",
        "class A:\n    revision = 'x'\n    def upgrade(self): pass",
        "revision = 'x'\ndef upgrade(:",
        "revision = 'x'\n\0def upgrade(): pass",
    ],
)
def test_other_code_is_no_revision(code):
    assert alembic_migration(code, "a.py") is None


def test_what_the_head_of_a_script_tells():
    found = migration("pass")
    assert (found.path, found.revision, found.dialect, found.steps) == ("migrations/versions/2f6a.py", "2f6a", "", ())
    assert (found.is_first, found.is_transactional) == (False, True)


@pytest.mark.parametrize(
    ("head", "is_first"),
    [
        ("down_revision = None", True),
        ("down_revision: str | None = None\nbranch_labels = None\ndepends_on = None", True),
        ("down_revision = None\nbranch_labels = ('billing',)", False),
        ("down_revision = None\ndepends_on = '1c3e'", False),
        ("down_revision = ('1c3e', '9a9a')", False),
        ("", False),
    ],
)
def test_the_first_of_a_history(head, is_first):
    found = alembic_migration(f"revision: str = 'x'\n{head}\ndef upgrade(): pass", "a.py")
    assert found.is_first is is_first


OPERATIONS = [
    ('op.create_table("a", sa.Column("x", sa.Integer()))', ("create table", "a", "")),
    ('op.create_table("a", schema="s")', ("create table", "s.a", "")),
    ('op.drop_table("a")', ("drop table", "a", "")),
    ('op.rename_table("a", "b")', ("rename table", "a", "b")),
    ('op.create_index("ix", "a", ["x"])', ("create index", "a", "ix")),
    ('op.create_index(index_name="ix", table_name="a", columns=["x"])', ("create index", "a", "ix")),
    ('op.drop_index(op.f("ix"), table_name="a")', ("drop index", "a", "ix")),
    ('op.drop_index("ix")', ("drop index", "", "ix")),
    ('op.add_column("a", sa.Column("x", sa.Integer()))', ("add column", "a", "x")),
    ('op.add_column("a", sa.Column(name="x", type_=sa.Integer()))', ("add column", "a", "x")),
    ('op.drop_column("a", "x")', ("drop column", "a", "x")),
    ('op.alter_column("a", "x", type_=sa.Text())', ("alter type", "a", "x")),
    ('op.alter_column("a", "x", nullable=False)', ("set not null", "a", "x")),
    ('op.alter_column("a", "x", new_column_name="y")', ("other", "a", "x")),
    ('op.create_foreign_key("fk", "a", "b", ["x"], ["id"], source_schema="s")', ("add constraint", "s.a", "fk")),
    ('op.create_check_constraint("ck", "a", "x > 0")', ("add constraint", "a", "ck")),
    ('op.create_primary_key("pk", "a", ["x"])', ("add constraint", "a", "pk")),
    ('op.create_exclude_constraint("ex", "a", ("x", "="))', ("add constraint", "a", "ex")),
    ('op.drop_constraint("ck", "a", type_="check")', ("drop constraint", "a", "ck")),
    ('op.execute("ALTER TABLE a RENAME TO b")', ("rename table", "a", "b")),
    ('op.execute(sa.text("DROP TABLE a"))', ("drop table", "a", "")),
    ('op.get_bind().execute(sa.text("DROP TABLE a"))', ("drop table", "a", "")),
    ('op.get_bind().exec_driver_sql("DROP TABLE a")', ("drop table", "a", "")),
    ('op.execute(sqltext="DROP TABLE a")', ("drop table", "a", "")),
    ('op.execute("DELETE FROM a")', ("empty table", "a", "")),
    ('op.execute(sa.table("a").delete())', ("empty table", "a", "")),
    ('op.execute(sa.delete(sa.table("a", sa.column("x"))))', ("empty table", "a", "")),
]


@pytest.mark.parametrize(("call", "step"), OPERATIONS)
def test_operations(call, step):
    assert steps(call) == [step]


@pytest.mark.parametrize(
    "call",
    [
        'op.execute("UPDATE a SET x = 1")',
        'op.execute("DELETE FROM a WHERE x = 1")',
        "op.execute(statement())",
        "op.bulk_insert(table, [])",
        'op.create_table_comment("a", "DROP TABLE a")',
        'print("op.drop_table")',
        'op.alter_column("a", "x", comment="new")',
        'helper.create_index("ix", "a", ["x"])',
        'sa.insert(sa.table("a"))',
    ],
)
def test_what_changes_no_schema(call):
    assert steps(call) == []


def test_batches():
    assert steps(
        """
        with op.batch_alter_table("a", schema="s") as batch_op:
            batch_op.add_column(sa.Column("x", sa.Integer(), nullable=False))
            batch_op.create_index("ix", ["x"], unique=True)
            batch_op.create_foreign_key("fk", "b", ["x"], ["id"])
            batch_op.alter_column("x", nullable=False)
            batch_op.drop_constraint("uq", type_="unique")
        """
    ) == [
        ("add column", "s.a", "x"),
        ("create index", "s.a", "ix"),
        ("add constraint", "s.a", "fk"),
        ("set not null", "s.a", "x"),
        ("drop constraint", "s.a", "uq"),
    ]


def test_columns_of_a_foreign_key_in_a_batch():
    body = 'with op.batch_alter_table("a") as b:\n    b.create_foreign_key("fk", "c", ["x", "y"], ["id", "n"])'
    [step] = migration(body).steps
    assert step.columns == ("x", "y")


def test_new_columns():
    column = 'op.add_column("a", sa.Column("x", {}))'
    texts = {
        "sa.Integer()": ("integer", True, False, False),
        "sa.String(length=20), nullable=False": ("varchar(20)", False, False, False),
        "sa.Numeric(10, scale=2), nullable=True": ("numeric(10, 2)", True, False, False),
        "sa.DateTime(timezone=True)": ("timestamp with time zone", True, False, False),
        "postgresql.ARRAY(sa.Text())": ("text[]", True, False, False),
        'sa.Enum("a", "b", name="mood"), server_default="a"': ("mood", True, True, False),
        'sa.Enum("a", native_enum=False)': ("varchar", True, False, False),
        'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")': ("jsonb", True, False, False),
        "app.Money()": ("", True, False, False),
        "sa.Integer, nullable=decide()": ("integer", None, False, False),
        "sa.Uuid, server_default=sa.text('gen_random_uuid()')": ("uuid", True, True, True),
        "sa.Uuid, server_default=sa.func.gen_random_uuid()": ("uuid", True, True, True),
        "sa.Uuid, server_default='gen_random_uuid()'": ("uuid", True, True, False),
        "sa.DateTime, server_default=sa.func.now()": ("timestamp", True, True, False),
        "sa.Integer(), sa.Computed('y * 2', persisted=False)": ("integer", True, True, False),
        "sa.BigInteger(), primary_key=True": ("bigint", False, True, True),
        "sa.Uuid(), primary_key=True": ("uuid", False, False, False),
        "sa.Integer(), primary_key=False": ("integer", True, False, False),
    }
    for text, wanted in texts.items():
        [step] = migration(column.format(text)).steps
        found = (step.type, step.is_nullable, step.has_default, step.is_default_volatile)
        assert found == wanted, text


def test_a_type_is_restated_beside_other_changes():
    assert steps('op.alter_column("a", "x", type_=sa.Text(), new_column_name="y", nullable=False)') == [
        ("other", "a", "x")
    ]
    assert steps('op.alter_column("a", "x", type_=sa.Text(), existing_type=sa.Integer(), server_default="1")') == [
        ("alter type", "a", "x")
    ]


def test_functions_loops_and_names():
    more = """
    SCHEMA = "s"
    TABLES = ["a"] + ["b"]
    COLUMNS = {"x": sa.Integer(), "y": sa.Text()}

    def _add(table, *, name="x"):
        op.add_column(table, sa.Column(name, sa.Text()), schema=SCHEMA)

    def forever():
        forever()
        op.drop_table("z")
    """
    assert steps("for table in TABLES:\n    _add(table)\n    _add(name='y', table=table)", more=more) == [
        ("add column", "s.a", "x"),
        ("add column", "s.a", "y"),
        ("add column", "s.b", "x"),
        ("add column", "s.b", "y"),
    ]
    assert steps("[op.drop_table(t) for t in reversed(TABLES)]", more=more) == [
        ("drop table", "a", ""),
        ("drop table", "b", ""),
    ]
    assert steps("for c in COLUMNS:\n    op.drop_column('a', c)", more=more) == [
        ("drop column", "a", "x"),
        ("drop column", "a", "y"),
    ]
    assert steps("for t, (c, k) in [('a', ('x', sa.Text()))]:\n    op.add_column(t, sa.Column(c, k))", more=more) == [
        ("add column", "a", "x")
    ]
    assert steps("for t in unknown():\n    op.drop_table(t)", more=more) == [("drop table", "", "")]
    assert {table for _, table, _ in steps("forever()", more=more)} == {"z"}


def test_texts_that_are_put_together():
    more = 'SCHEMA = "s"\nSQL = textwrap.dedent("""\n  DROP TABLE a;\n""")\n'
    assert steps('op.execute(f"DROP TABLE {SCHEMA}.a")', more=more) == [("drop table", "s.a", "")]
    assert steps('op.execute("DROP TABLE %s.%s" % (SCHEMA, "a"))', more=more) == [("drop table", "s.a", "")]
    assert steps('op.execute("DROP TABLE %(t)s" % {"t": "a"})', more=more) == [("drop table", "a", "")]
    assert steps('op.execute("DROP TABLE {}.{t}".format(SCHEMA, t="a"))', more=more) == [("drop table", "s.a", "")]
    assert steps('op.execute("DROP TABLE " + SCHEMA + ".a")', more=more) == [("drop table", "s.a", "")]
    assert steps("op.execute(SQL)", more=more) == [("drop table", "a", "")]
    assert steps('op.execute(f"DROP TABLE {unknown()}.a")') == [("drop table", "a", "")]
    assert steps('op.execute(f"DROP TABLE {unknown()}")') == [("drop table", "", "")]
    assert steps('op.execute("DROP TABLE %s" % (1, 2))') == []
    assert steps('op.execute("DROP TABLE {2}".format("a"))') == []


def test_places():
    body = '''
    op.drop_table("a")
    op.execute(
        """
        DROP TABLE b;
          DROP TABLE c
        """
    )
    op.execute("DROP TABLE d;\\nDROP TABLE e")
    '''
    found = [(step.site.line, step.site.column, step.site.function) for step in migration(body).steps]
    assert found == [(9, 5, "upgrade"), (12, 9, "upgrade"), (13, 11, "upgrade"), (16, 5, "upgrade"), (16, 5, "upgrade")]


def test_transactions():
    body = """
    op.drop_table("a")
    with op.get_context().autocommit_block():
        op.drop_table("b")
        op.execute("DROP TABLE c")
    op.drop_table("d")
    op.execute("COMMIT")
    op.drop_table("e")
    op.execute("BEGIN")
    op.drop_table("f")
    with op.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("DROP TABLE g"))
    op.drop_table("h")
    """
    found = {step.table: step.in_autocommit for step in migration(body).steps}
    assert "".join(table for table, is_outside in found.items() if is_outside) == "bceg"


GUARDS = [
    ('op.get_bind().dialect.name == "postgresql"', True),
    ('op.get_bind().dialect.name != "postgresql"', False),
    ('op.get_context().dialect.name in ("sqlite", "mysql")', False),
    ('op.get_context().dialect.name not in {"sqlite"}', True),
    ('not op.get_bind().dialect.name == "sqlite"', True),
    ('"postgresql" == bind.dialect.name and fresh()', None),
    ('bind.dialect.name == "sqlite" and fresh()', False),
    ('bind.dialect.name == "postgresql" or fresh()', True),
    ('bind.dialect.name.startswith("postgres")', True),
    ("isinstance(bind.dialect, SQLiteDialect)", False),
    ("isinstance(bind.dialect, PGDialect)", True),
    ("is_postgres()", True),
    ("IS_LITE", None),
    ("context.is_offline_mode()", None),
    ('kind == "postgresql"', None),
    ('inspector.has_table("postgresql")', None),
]


@pytest.mark.parametrize(("guard", "decided"), GUARDS)
def test_conditions_that_ask_for_the_dialect(guard, decided):
    more = "def is_postgres():\n    name = op.get_bind().dialect.name\n    return name == 'postgresql'\n"
    body = f"if {guard}:\n    op.drop_table('yes')\nelse:\n    op.drop_table('no')"
    wanted = {True: ["yes"], False: ["no"], None: ["yes", "no"]}[decided]
    assert [table for _, table, _ in steps(body, more=more)] == wanted


def test_nothing_follows_a_return():
    body = "if op.get_bind().dialect.name == 'postgresql':\n    op.drop_table('a')\n    return\nop.drop_table('b')"
    assert [table for _, table, _ in steps(body)] == ["a"]
    assert [table for _, table, _ in steps(body, dialect="sqlite")] == ["b"]
    assert [table for _, table, _ in steps("if gone():\n    return\nop.drop_table('a')")] == ["a"]


@pytest.mark.parametrize(
    ("code", "dialect"),
    [
        ("from sqlalchemy.dialects import postgresql", "postgresql"),
        ("from sqlalchemy.dialects.mysql import LONGTEXT", "mysql"),
        ("from sqlalchemy.dialects import sqlite", "sqlite"),
        ("from sqlalchemy.dialects import sqlite\nKEY = sa.BigInteger().with_variant(sqlite.INTEGER(), 'sqlite')", ""),
        ("from sqlalchemy.dialects import mysql, postgresql", ""),
        ("OPTIONS = dict(postgresql_using='gin')", "postgresql"),
        ("", ""),
    ],
)
def test_the_dialect_of_a_script(code, dialect):
    assert migration("pass", more=code).dialect == dialect
    assert migration("pass", more=code, dialect="sqlite").dialect == "sqlite"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [("versions/sqlite/a.py", "sqlite"), ("versions/a_postgres.py", "postgresql"), ("versions/mysql_a.py", "")],
)
def test_the_dialect_of_a_path(path, dialect):
    assert alembic_migration(f"{HEAD}def upgrade(): pass", path).dialect == dialect


def test_tables_that_a_script_makes():
    more = """
    class Model(Base):
        __tablename__ = "m"

    tag = sa.Table("tag", sa.MetaData(), sa.Column("id", sa.Integer()))
    """
    body = """
    Model.__table__.create(op.get_bind())
    tag.create(op.get_bind(), checkfirst=True)
    create_table("shared", sa.Column("id", sa.Integer()))
    op.create_table("Own", schema="public")
    op.rename_table("Own", "renamed")
    session.query(Model).delete()
    """
    found = migration(body, more=more)
    assert found.created == {"m", "tag", "shared", "own", "renamed"}
    assert found.makes("public.Renamed")
    assert [step.table for step in found.steps if step.kind is StepKind.EMPTY_TABLE] == ["m"]


def test_several_databases():
    called = "    globals()['upgrade_' + engine_name]()"
    code = f"{HEAD}def upgrade(engine_name):\n{called}\ndef upgrade_one():\n    op.drop_table('a')\n"
    assert [step.table for step in alembic_migration(code, "a.py").steps] == ["a"]


def test_operations_that_are_imported_by_themselves():
    code = f"from alembic.op import drop_table\n{HEAD}def upgrade():\n    drop_table('a')\n    drop_column('a', 'x')\n"
    [step] = alembic_migration(code, "a.py").steps
    assert step.table == "a"
