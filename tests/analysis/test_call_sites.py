"""What the source at a place shows of a statement: its methods, what becomes of its result, what is put into it."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_dbguard.analysis.call_sites import CallSites, calls_of
from pytest_dbguard.core.findings import Shape, Site
from pytest_dbguard.planning.workload import Call, Use, Workload, WorkloadStatement


def call_in(directory, code, marker="session.", *, line_only=False, text_only=False):
    """What stands at the first call in a program that begins with a word."""
    source = textwrap.dedent(code)
    (directory / "shop.py").write_text(source, encoding="utf-8")
    return CallSites(directory).call(site_of(source, marker, line_only=line_only, text_only=text_only))


def site_of(source, marker, *, line_only, text_only):
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call | ast.Constant))
    wanted = ast.Constant if text_only else ast.Call
    found = [each for each in calls if isinstance(each, wanted)]
    nodes = [each for each in found if ast.get_source_segment(source, each).startswith(marker)]
    # the call that sends the statement is the innermost of those that begin there
    node = min(nodes, key=lambda each: (each.lineno, len(ast.get_source_segment(source, each))))
    lines = source.splitlines()
    column, end = (
        len(lines[line - 1].encode()[:offset].decode()) + 1
        for line, offset in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
    )
    if line_only:
        return Site("shop.py", node.lineno)
    if text_only:
        return Site("shop.py", node.lineno, column)
    return Site("shop.py", node.lineno, column, "f", node.end_lineno, end)


@pytest.mark.parametrize(
    ("code", "methods"),
    [
        ("session.execute(q).scalar_one_or_none()", ("execute", "scalar_one_or_none")),
        ("session.scalars(q).unique().all()", ("scalars", "unique", "all")),
        ("result = session.execute(q)\n    return result.scalars().first()", ("execute", "scalars", "first")),
        ("[*session.scalars(q)]", ("scalars",)),
    ],
)
def test_methods(tmp_path, code, methods):
    assert call_in(tmp_path, f"def f(session, q):\n    {code}\n").methods == methods


def test_methods_of_an_awaited_result(tmp_path):
    code = "async def f(session, q):\n    return (await session.execute(q)).scalars().one()\n"
    assert call_in(tmp_path, code).methods == ("execute", "scalars", "one")


def test_methods_before_the_one_that_sends(tmp_path):
    code = "def f(q):\n    return make().query(q).filter_by(a=1).count()\n"
    source = textwrap.dedent(code)
    (tmp_path / "shop.py").write_text(source)
    assert CallSites(tmp_path).call(Site("shop.py", 2)).methods == ("make", "query", "filter_by", "count")


def test_a_cursor_is_followed_to_its_fetch(tmp_path):
    code = """
        def f(session, q):
            session.execute(q)
            session.commit()
            return session.fetchone()
    """
    assert call_in(tmp_path, code).methods == ("execute", "fetchone")


def test_a_cursor_that_sends_again_first_is_not_followed(tmp_path):
    code = """
        def f(session, q):
            session.execute(q)
            session.execute(q + q)
            return session.fetchone()
    """
    assert call_in(tmp_path, code).methods == ("execute",)


@pytest.mark.parametrize(
    ("code", "used_as"),
    [
        ("if session.scalar(q) > 0:\n        pass", "zero"),
        ("return session.scalar(q) >= 1", "zero"),
        ("return 0 != session.scalar(q)", "zero"),
        ("return 0 < session.execute(q).scalar_one()", "zero"),
        ("return (session.scalar(q) or 0) == 0", "zero"),
        ("return session.execute(q).fetchone()[0] > 0", "zero"),
        ("count = session.scalar(q)\n    if count > 0:\n        return 1\n    return 0 if not count else 2", "zero"),
        ("(count,) = session.execute(q).one()\n    return count > 0", "zero"),
        ("return len(session.scalars(q).all()) > 0", "zero"),
        ("if session.scalar(q):\n        pass", "truth"),
        ("return not session.scalar(q)", "truth"),
        ("return bool(session.scalar(q))", "truth"),
        ("if q and session.scalar(q) or q is None:\n        pass", "truth"),
        ("assert session.scalar(q), 'none'", "truth"),
        ("return len(session.scalars(q).all())", "length"),
        ("return session.scalar(q)", ""),
        ("return session.scalar(q) > 1", ""),
        ("return session.scalar(q) == 1", ""),
        ("return session.scalar(q) > 10", ""),
        ("return 0 < session.scalar(q) < 5", ""),
        ("return session.scalar(q) or q", ""),
        ("count = session.scalar(q)\n    if count > 0:\n        print(count)", ""),
        ("count = session.scalar(q)\n    count += 1\n    return count > 0", ""),
        ("q.count = session.scalar(q)\n    return q.count > 0", ""),
        ("print(session.scalar(q))", ""),
        ("return session.scalar(q) > 0 if q else session.scalar(q) / 2", "zero"),
    ],
)
def test_what_becomes_of_the_result(tmp_path, code, used_as):
    assert call_in(tmp_path, f"def f(session, q):\n    {code}\n").used_as == used_as


INTERPOLATED = [
    ('sql = f"SELECT a FROM t WHERE b = {name}"\n    def g():\n        session.execute(sql)', "name"),
    ('session.scalars(select(T).where(text("b = %s" % name)))', "name"),
    ('stmt = select(T).where(text(f"b > {ids[0]}"))\n    session.scalars(stmt)', "ids[0]"),
    ('session.execute(text(f"SELECT a FROM t WHERE b = {name}").bindparams(c=1))', "name"),
    ('session.execute(text(f"SELECT a FROM t WHERE b = {name}"))', "name"),
    ("session.execute(f\"SELECT a FROM t WHERE b = '{request.name}'\")", "request.name"),
    ('session.execute("SELECT a FROM t WHERE b LIKE \'%" + name + "%\'")', "name"),
    ('session.execute("SELECT a FROM t WHERE b = %s AND c = %d" % (name, 3))', "name"),
    ('session.execute("SELECT a FROM t WHERE b = %(x)s" % {"x": name})', "name"),
    ('session.execute("SELECT a FROM t WHERE b = {} LIMIT {n}".format(name, n=1))', "name"),
    ('session.execute(text("SELECT a FROM t WHERE b IN (%s)" % ids))', "ids"),
    ('session.execute(f"SELECT a FROM t LIMIT {int(name)}")', "int(name)"),
    ('session.execute(f"SELECT a FROM t WHERE b BETWEEN {name} AND 3")', "name"),
    ('sql = f"SELECT a FROM t WHERE b = {name}"\n    session.execute(text(sql), {"a": 1})', "name"),
    ('sql = "SELECT a FROM t"\n    if name:\n        sql += f" WHERE b = {name}"\n    session.execute(sql)', "name"),
    ('session.execute(f"INSERT INTO t (a, b) VALUES (?, {name})")', "name"),
]


@pytest.mark.parametrize(("code", "value"), INTERPOLATED)
def test_values_in_the_text(tmp_path, code, value):
    assert call_in(tmp_path, f"def f(session, name, request, ids):\n    {code}\n").interpolated == value


def test_a_value_in_a_piece_of_a_query(tmp_path):
    code = "def f(make, name):\n    return make().query(T).filter(text(f\"b = '{name}'\")).all()\n"
    assert call_in(tmp_path, code, line_only=True, marker="make").interpolated == "name"


INNOCENT = [
    'session.execute(text("SELECT a FROM t WHERE b = :b"), {"b": name})',
    'session.execute("SELECT a FROM t WHERE b = %s", (name,))',
    'session.execute(f"SELECT a FROM {name} WHERE b = ?", (1,))',
    'session.execute(f"SELECT {name} FROM t ORDER BY {name}")',
    'session.execute(f"SELECT a FROM t WHERE {name} = ?")',
    'session.execute(f"SELECT a FROM t JOIN u ON t.a = {name}.b")',
    'session.execute(f"SELECT a FROM t JOIN u ON t.a = u.{name}")',
    'session.execute(f"SELECT a FROM t WHERE b = {STATUS}")',
    'session.execute(f"SELECT a FROM t WHERE b = {status}")',
    "session.execute(f\"SELECT a FROM t WHERE b IN ({', '.join('?' * len(ids))})\", ids)",
    'session.execute("SELECT a FROM t WHERE b IN (%s)" % ",".join(["%s"] * len(ids)), ids)',
    'marks = ", ".join("?" for _ in ids)\n    session.execute(f"SELECT a FROM t WHERE b IN ({marks})", ids)',
    'placeholders = make(ids)\n    session.execute(f"SELECT a FROM t WHERE b IN ({placeholders})", ids)',
    'session.execute(f"SELECT a FROM t WHERE b = (SELECT max({name}) FROM u)")',
    'session.execute(sql.SQL("SELECT a FROM t WHERE b = {}").format(sql.Literal(name)))',
    "session.execute(select(T).where(T.b == name))",
    "session.execute(name)",
    'session.query(T).order_by(text(f"{name} DESC")).all()',
    'session.scalars(select(T).where(text("b = :b")).params(b=name))',
    'session.execute(f"SELECT a FROM t WHERE b = {Kind.OPEN}")',
    "session.execute(f\"SELECT a FROM t WHERE b = '{models.Kind.OPEN.value}'\")",
    "session.execute(f\"SELECT nextval('{self.sequence_name}')\")",
    'def g():\n        query = f"SELECT a FROM t WHERE b = {name}"\n        return query\n    session.execute(query)',
]


@pytest.mark.parametrize("code", INNOCENT)
def test_no_values_in_the_text(tmp_path, code):
    program = f"STATUS = 'open'\nstatus = 1\n\ndef f(session, name, ids):\n    {code}\n"
    assert call_in(tmp_path, program).interpolated == ""


def test_columns_count_characters(tmp_path):
    code = 'def f(session, q):\n    print("žluťoučký kůň", session.scalar(q)); return session.scalar(q + "é") > 0\n'
    assert call_in(tmp_path, code, "session.scalar(q +").used_as == "zero"


def test_without_columns_the_only_call_on_the_line(tmp_path):
    code = "def f(session, q):\n    return session.scalar(q) > 0\n"
    assert call_in(tmp_path, code, line_only=True).used_as == "zero"
    two = "def f(session, q):\n    return session.scalar(q) > 0, session.scalar(q)\n"
    assert call_in(tmp_path, two, line_only=True) is None


@pytest.mark.parametrize(
    "code",
    [
        'return session.scalar(text("SELECT count(*) FROM t")) > 0',
        'sql = text("SELECT count(*) FROM t")\n    return session.scalar(sql, {}) > 0',
        'return session.execute(text(dedent("SELECT count(*) FROM t"))).scalar_one() > 0',
    ],
)
def test_the_place_of_the_text_is_enough(tmp_path, code):
    program = f"def f(session):\n    {code}\n"
    assert call_in(tmp_path, program, '"SELECT', text_only=True).used_as == "zero"


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "page.html").write_text("{{ order.total }}")
    sites = CallSites(tmp_path)
    for file in ("broken.py", "page.html", "missing.py"):
        assert sites.call(Site(file, 1, 1, "f", 1, 5)) is None


def test_uses_of_a_workload_get_their_calls(tmp_path):
    source = "def f(session, q):\n    return session.scalar(q) > 0\n"
    (tmp_path / "shop.py").write_text(source)
    known = Call(("mine",))
    here = Site("shop.py", 2, 12, "f", 2, 29)
    uses = (Use(here, 1, ()), Use(None, 1, ()), Use(here, 1, (), call=known))
    workload = Workload("s", (WorkloadStatement(Shape("x", "SELECT 1"), None, uses),))
    (statement,) = calls_of(workload, tmp_path).statements
    assert [use.call for use in statement.uses] == [Call(("scalar",), "zero"), None, known]
