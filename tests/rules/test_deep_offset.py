"""DBG403: the page that is offered instead, for SQL and for SQLAlchemy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from assessments import ORDERS, judged, statement

from pytest_dbguard.core.findings import Site
from pytest_dbguard.planning.workload import Exemplar
from pytest_dbguard.rules.deep_offset import DeepOffset, DeepOffsetOptions
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class Rule(DeepOffset):
    def __init__(self, options):
        super().__init__(DeepOffsetOptions())


def one(*columns, way="asc", table="orders", text="SELECT 1", file="shop/app.py"):
    mark = LintMark(MarkKind.OFFSET, table, table, columns=columns, alias="orders", number=50_000, detail=way)
    found = statement(marks=(mark,))
    uses = tuple(replace(use, site=Site(file, 1)) for use in found.statement.uses)
    found = replace(found, statement=replace(found.statement, exemplar=Exemplar(text, "qmark"), uses=uses))
    [finding] = judged(Rule, found)
    return finding


def test_the_primary_key_decides_among_equal_keys():
    assert one("city", way="desc").fix.code == "WHERE (city, id) < (:city, :id)\nORDER BY city DESC, id DESC"


def test_unique_keys_need_no_other():
    assert one("id").fix.code == "WHERE id > :id\nORDER BY id"


def test_sqlalchemy_first_where_sqlalchemy_wrote_the_text():
    finding = one("city", text="SELECT orders.id \nFROM orders ORDER BY orders.city\n LIMIT ? OFFSET ?")
    assert finding.fix.code.startswith(".where(tuple_(")
    assert [remedy.kind for remedy in finding.remedies] == ["sqlalchemy", "sql"]


def test_a_table_that_nobody_knows_has_a_unique_key_still():
    fix = one("name", table="people").fix
    assert "by `name` and a unique column such as the primary key" in fix.title
    assert fix.code == (
        "-- id: the primary key, or another unique column\nWHERE (name, id) > (:name, :id)\nORDER BY name, id"
    )


def test_a_key_called_id_is_enough():
    assert one("name", "id", table="people").fix.code == "WHERE (name, id) > (:name, :id)\nORDER BY name, id"


def test_rows_whose_key_is_null_are_not_lost_in_silence():
    assert "rows without `city` need a page of their own" in one("city").fix.title


def test_scripts_get_no_code_of_python():
    finding = one("city", file="queries/orders.sql")
    assert finding.fix.code.startswith("WHERE")
    assert [remedy.kind for remedy in finding.remedies] == ["sql"]


@pytest.mark.parametrize(("columns", "way"), [((), "asc"), (("city",), "mixed")])
def test_no_code_where_keys_do_not_tell_the_place(columns, way):
    finding = one(*columns, way=way)
    assert (finding.fix.code, finding.remedies) == ("", ())


def test_the_number_itself_is_not_told():
    finding = one("city")
    assert "50" not in finding.message + finding.fix.title + finding.fix.code


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("columns", [("city",), ("id",)])
def test_the_pages_hold_the_same_rows(columns, way):
    """Both spellings go on where OFFSET does."""
    metadata = sa.MetaData()
    names = [column.name for column in ORDERS.columns]
    orders = sa.Table("orders", metadata, *(sa.Column(name, sa.Integer, primary_key=name == "id") for name in names))
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    finding = one(*columns, way=way)
    code = {remedy.kind: remedy.code for remedy in finding.remedies}
    keys = [orders.c[name].desc() if way == "desc" else orders.c[name] for name in dict.fromkeys((*columns, "id"))]
    with engine.connect() as connection:
        connection.execute(orders.insert(), [{"id": n, "city": n % 3, "name": 1, "customer_id": 1} for n in range(20)])
        rows = connection.execute(sa.select(orders).order_by(*keys)).all()
        last, expected = rows[6], [row.id for row in rows[7:]]
        given = {"orders": orders, "last": last, "tuple_": sa.tuple_, "select": sa.select}
        made = eval(f"select(orders){code['sqlalchemy']}".replace("\n", ""), given)
        assert [row.id for row in connection.execute(made)] == expected
        text = sa.text(f"SELECT id FROM orders {code['sql']}")
        bound = {name: getattr(last, name) for name in text._bindparams}
        assert [row.id for row in connection.execute(text, bound)] == expected
