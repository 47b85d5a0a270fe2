"""Stacks: the application's frames below a statement, their places, and where they end."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import jinja2
import pytest
from application import Customer, Job, Order
from sqlalchemy import select
from sqlalchemy.orm import Session

from pytest_dbguard.recording import frames as frames_module
from pytest_dbguard.recording.frames import Mark, StackReader
from pytest_dbguard.recording.ownership import Ownership


@pytest.fixture
def reader(tmp_path):
    return StackReader(Ownership(tmp_path))


@pytest.fixture
def run(application, reader):
    """A function that runs code and returns the stacks at its calls of `probe`."""

    def run(code, **names):
        stacks = []

        def probe(*arguments):
            stacks.append(reader.stack(reader.read(sys._getframe(1))))

        application(code, probe=probe, **names)
        return stacks

    return run


def places(stack):
    return [(frame.site.function, frame.site.line) for frame in stack.frames if frame.site.file == "shop.py"]


def test_frames_are_innermost_first(run):
    [stack] = run("def inner():\n    probe()\n\ndef outer():\n    inner()\n\nouter()")
    assert places(stack) == [("inner", 2), ("outer", 5), ("<module>", 7)]
    assert stack.site.label == "shop.py:2"


def test_places_count_characters_from_one(run):
    [stack] = run("größe = 'ä'; probe(größe)")
    site = stack.site
    assert (site.line, site.column, site.end_line, site.end_column) == (1, 14, 1, 26)


def test_a_call_of_several_lines(run):
    [stack] = run("x = [\n    probe(\n        1,\n    ),\n]")
    assert (stack.site.line, stack.site.end_line, stack.site.column) == (2, 4, 5)


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("class Shop:\n    def orders(self):\n        probe()\nShop().orders()", "Shop.orders"),
        ("def outer():\n    def inner():\n        probe()\n    inner()\nouter()", "outer.inner"),
        ("def f():\n    [probe() for _ in [1]]\nf()", "f"),
        ("def f():\n    list(probe() for _ in [1])\nf()", "f"),
        ("def f():\n    (lambda: probe())()\nf()", "f"),
        ("(lambda: probe())()", "<module>"),
        ("class Shop:\n    probe()", "Shop"),
    ],
)
def test_functions_have_the_same_names_on_every_python(run, code, function):
    [stack] = run(code)
    assert stack.site.function == function


def test_equal_stacks_are_one_object(run):
    stacks = run("def f():\n    probe()\nfor _ in range(3):\n    f()\nf()")
    assert stacks[0] is stacks[1] is stacks[2]
    assert stacks[3] is not stacks[0]


def test_recursion_is_folded(run):
    stacks = run("def walk(n):\n    probe()\n    if n:\n        walk(n - 1)\nwalk(5)")
    assert {tuple(places(stack)) for stack in stacks} == {(("walk", 2), ("<module>", 5))}
    assert [stack.recursion is not None for stack in stacks] == [False] + [True] * 5
    assert len({id(stack) for stack in stacks}) == 2


def test_mutual_recursion_is_folded(run):
    code = """
    def even(n):
        probe()
        if n:
            odd(n - 1)

    def odd(n):
        probe()
        if n:
            even(n - 1)

    even(6)
    """
    stacks = run(code)
    assert all(len(places(stack)) <= 3 for stack in stacks)
    assert len({id(stack) for stack in stacks}) <= 4


def test_libraries_are_left_out(run):
    [stack] = run("import functools\ndef f(a, b):\n    probe()\n    return a\nfunctools.reduce(f, [1, 2])\n")
    assert places(stack) == [("f", 3), ("<module>", 5)]
    [stack] = run("import contextlib\nwith contextlib.ExitStack() as stack:\n    stack.callback(probe)\n")
    assert [place[0] for place in places(stack)] == ["<module>"]


def test_a_stack_ends_at_its_root(run, reader, application):
    code = application("def test():\n    inner()\n\ndef inner():\n    probe()\n", name="first.py", probe=None)
    stacks = []
    code["probe"] = lambda: stacks.append(reader.stack(reader.read(sys._getframe(1))))
    reader.set_roots((code["test"].__code__,))
    code["test"]()
    assert [frame.site.function for frame in stacks[0].frames] == ["inner", "test"]
    assert stacks[0].is_rooted
    reader.set_roots(())
    code["test"]()
    assert len(stacks[1].frames) > 2
    assert not stacks[1].is_rooted or stacks[1].marks is Mark.NONE


@pytest.mark.parametrize("start", ["thread", "pool"])
def test_a_stack_ends_where_a_thread_begins(run, start):
    def in_thread(function):
        if start == "thread":
            thread = threading.Thread(target=function)
            thread.start()
            thread.join()
        else:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(function).result()

    [stack] = run("def f():\n    probe()\nin_thread(f)", in_thread=in_thread)
    assert places(stack) == [("f", 2)]
    assert not stack.is_rooted


def test_templates_have_lines_of_their_own(reader, tmp_path):
    (tmp_path / "page.html").write_text("<ul>\n{% for x in [1] %}\n  <li>\n  {{ probe() }}\n{% endfor %}\n</ul>")
    stacks = []
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), autoescape=True)
    environment.globals["probe"] = lambda: stacks.append(reader.stack(reader.read(sys._getframe(1))))
    environment.get_template("page.html").render()
    site = stacks[0].site
    assert (site.file, site.line, site.column, site.function) == ("page.html", 4, None, "template")


def test_caches_that_are_full_start_again(run, monkeypatch):
    monkeypatch.setattr(frames_module, "_MAX_STACKS", 2)
    monkeypatch.setattr(frames_module, "_MAX_CODES", 3)
    stacks = run("\n".join(f"def f{n}():\n    probe()\nf{n}()" for n in range(9)))
    assert [places(stack) for stack in stacks] == [[(f"f{n}", 3 * n + 2), ("<module>", 3 * n + 3)] for n in range(9)]


def test_code_that_is_gone_does_not_lend_its_id(run):
    """Functions made and dropped again: code objects at one address are told apart."""
    code = "\n".join(f"exec(compile('def f():\\n    probe()\\nf()', path + 'f{n}.py', 'exec'))" for n in range(30))
    stacks = run(code, path="/nowhere/")
    assert [stack.site.file for stack in stacks] == [f"/nowhere/f{n}.py" for n in range(30)]


def autoflushing(session):
    session.add(Job())
    session.scalars(select(Job)).all()


MARKED = {
    "get": (lambda session: session.get(Customer, 1), [Mark.GET]),
    "flush": (lambda session: (session.add(Job()), session.flush()), [Mark.FLUSH]),
    "autoflush": (autoflushing, [Mark.AUTOFLUSH | Mark.FLUSH, Mark.NONE]),
    "commit": (lambda session: (session.add(Job()), session.commit()), [Mark.COMMIT | Mark.FLUSH]),
    "refresh": (lambda session: session.refresh(session.get(Customer, 1)), [Mark.GET, Mark.REFRESH]),
    "query": (lambda session: session.query(Customer).all(), [Mark.QUERY]),
    "lazy": (lambda session: session.get(Order, 1).items, [Mark.GET, Mark.NONE]),
}


@pytest.mark.parametrize("name", MARKED)
def test_marks_tell_what_sqlalchemy_was_doing(engine, watch, name):
    act, marks = MARKED[name]
    with Session(engine) as session:
        act(session)
    told = Mark.FLUSH | Mark.AUTOFLUSH | Mark.COMMIT | Mark.GET | Mark.REFRESH | Mark.QUERY
    assert [statement.stack.marks & told for statement in watch.statements] == marks


def test_what_a_revision_runs_is_marked(run):
    first, second = run(
        """
        from alembic.runtime.migration import MigrationContext
        from sqlalchemy import create_engine

        def upgrade(heads, context):
            probe()
            return []

        with create_engine("sqlite://").connect() as connection:
            MigrationContext.configure(connection, opts={"fn": upgrade}).run_migrations()
        probe()
        """
    )
    assert first.site.function == "upgrade"
    assert first.marks & Mark.MIGRATION
    assert not second.marks & Mark.MIGRATION
