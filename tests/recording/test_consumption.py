"""Whether a query's result is taken as one object, told from the source of the call."""

from __future__ import annotations

import contextlib
import sys

import pytest

from pytest_dbguard.recording.consumption import Use, little_use, takes_one
from pytest_dbguard.recording.frames import StackReader
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.ownership import Ownership


class Result:
    """Each method gives a result again; `execute` looks at who calls it."""

    def __init__(self, look):
        self.look = look

    def execute(self, *arguments):
        self.look(sys._getframe(1))
        return self

    def one(self, *arguments):
        return self

    scalars = execute_later = fetchall = mappings = first = scalar_one = all = scalar_one_or_none = unique = one

    def get(self, *arguments):
        return self.execute()

    def __iter__(self):
        return iter([self])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("session.execute(1).one()", True),
        ("session.execute(1).scalars().first()", True),
        ("(\n    session\n    .execute(1)\n    .scalar_one_or_none()\n)", True),
        ("session.get(int, 1)", True),
        ("x = session.execute(1).unique().one()", True),
        ("result = session.execute(1)\nx = result.scalars().first()", True),
        ("result: int = session.execute(1)\nresult.scalar_one()", True),
        ("[x] = session.execute(1)", True),
        ("(x,) = session.execute(1)", True),
        ("session.execute(1).all()", False),
        ("session.execute(1)", False),
        ("for x in session.execute(1):\n    pass", False),
        ("result = session.execute(1)\nresult.all()", False),
        ("result = session.execute(1)\nother = session\nother.first()", False),
        ("rows = [x for x in session.execute(1)]", False),
    ],
)
@pytest.mark.parametrize("is_function", [False, True])
def test_takes_one(application, tmp_path, code, expected, is_function):
    reader = StackReader(Ownership(tmp_path))
    stacks = []
    if is_function:
        code = "def f():\n" + "".join(f"    {line}\n" for line in code.split("\n")) + "f()"
    application(code, session=Result(lambda frame: stacks.append(reader.stack(reader.read(frame)))))
    [frame] = [frame for frame in stacks[0].frames if frame.info.file == "shop.py"][:1]
    assert takes_one(frame, LoopFinder()) == expected


def test_without_source_the_answer_is_no(tmp_path):
    reader = StackReader(Ownership(tmp_path))
    stacks = []
    result = Result(lambda frame: stacks.append(reader.stack(reader.read(frame))))
    exec(compile("session.execute(1).one()", str(tmp_path / "nowhere.py"), "exec"), {"session": result})
    frame = next(frame for frame in stacks[0].frames if frame.info.file == "nowhere.py")
    assert not takes_one(frame, LoopFinder())


USES = [
    ("len(session.execute(1).all())", Use.COUNT),
    ("len(session.execute(1).scalars().unique().all())", Use.COUNT),
    ("len(list(session.execute(1)))", Use.COUNT),
    ("print(len(session.execute(1).fetchall()))", Use.COUNT),
    ("len(\n    session\n    .execute(1)\n    .all()\n)", Use.COUNT),
    ("x = session.execute(1).all()\nlen(x)", Use.COUNT),
    ("x = session.execute(1).all()\nif x:\n    len(x)", Use.COUNT),
    ("x = session.execute(1)\nlen(x.scalars().all())", Use.COUNT),
    ("x: list = session.execute(1).all()\nlen(x) + len(x)", Use.COUNT),
    ("len(session.execute(1).all()) > 0", Use.EXISTS),
    ("len(session.execute(1).all()) > 10", Use.COUNT),
    ("if len(session.execute(1).all()):\n    pass", Use.EXISTS),
    ("if session.execute(1).all():\n    pass", Use.EXISTS),
    ("if 1 and session.execute(1).all():\n    pass", Use.EXISTS),
    ("if not session.execute(1).all():\n    pass", Use.EXISTS),
    ("bool(session.execute(1).all())", Use.EXISTS),
    ("y = 1 if session.execute(1).all() else 2", Use.EXISTS),
    ("if (x := session.execute(1).all()):\n    len(x)", Use.COUNT),
    ("session.execute(1).all()[0]", Use.FIRST),
    ("session.execute(1).scalars().first()", Use.FIRST),
    ("x = session.execute(1)\nx.first()", Use.FIRST),
    ("x = session.execute(1).all()\nif x:\n    x[0]", Use.FIRST),
    ("session.execute(1).all()", None),
    ("session.execute(1).all()[-1]", None),
    ("session.execute(1).all()[:1]", None),
    ("session.execute(1).one()", None),
    ("session.execute(1)", None),
    ("if session.execute(1):\n    pass", None),
    ("len(session.execute(1).one())", None),
    ("len(session.get(1))", None),
    ("print(session.execute(1).all())", None),
    ("y = session.execute(1).all() or 2", None),
    ("sorted(session.execute(1).all(), key=len)", None),
    ("len(set(session.execute(1).all()))", None),
    ("len(session.execute(1).all)", None),
    ("x = session.execute(1).all()", None),
    ("x = session.execute(1).all()\nlen(x)\nprint(x)", None),
    ("x = session.execute(1).all()\nlen(x)\nx = []", None),
    ("x = session.execute(1).all()\nlen(x)\nx.append(1)", None),
    ("x = session.execute(1).all()\nlen(x)\nx[0]", None),
    ("x = session.execute(1).all()\nlen(x)\nlambda: x", None),
    ("x = y = session.execute(1).all()\nlen(x)", None),
    ("x = session.execute(1)\nx = x.all()\nlen(x)", None),
    ("x = session.execute(1)\ny = x.all()\nx = y\nlen(y)", None),
    ("y = session.execute(1).unique()\nx = y.all()\nlen(x)", Use.COUNT),
    ("len((lambda x: x.all())(session.execute(1)))", None),
    ("x = session.execute(1).all()\nlen(x)\nfor y in x:\n    pass", None),
    ("x = [len(x) for x in session.execute(1).all()]", None),
    ("session.x = session.execute(1).all()\nlen(session.x)", None),
]


def use_in(application, tmp_path, code, wrap):
    reader = StackReader(Ownership(tmp_path))
    stacks = []
    result = Result(lambda frame: stacks.append(reader.stack(reader.read(frame))))
    result.all = result.fetchall = lambda: [result]
    with contextlib.suppress(TypeError):
        application(wrap(code), session=result)
    [frame] = [frame for frame in stacks[0].frames if frame.info.file == "shop.py"][:1]
    return little_use(frame, LoopFinder())


@pytest.mark.parametrize(("code", "expected"), USES, ids=[code for code, _ in USES])
def test_little_use(application, tmp_path, code, expected):
    def in_function(code):
        return "def f():\n" + "".join(f"    {line}\n" for line in code.split("\n")) + "f()"

    assert use_in(application, tmp_path, code, in_function) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("len(session.execute(1).all())", Use.COUNT),
        ("x = session.execute(1).all()\nlen(x)", None),
        ("def f():\n    global x\n    x = session.execute(1).all()\n    len(x)\nf()", None),
        ("def f():\n    return session.execute(1).all()\nlen(f())", None),
    ],
)
def test_names_that_others_may_read_are_not_followed(application, tmp_path, code, expected):
    assert use_in(application, tmp_path, code, str) is expected


def test_a_parameter_that_gets_the_rows_is_not_followed(application, tmp_path):
    code = "def f(x):\n    y = x.execute(1)\n    x = y.all()\n    len(x)\nf(session)"
    assert use_in(application, tmp_path, code, str) is None


def test_what_is_awaited(application, tmp_path):
    """The frame of a coroutine stands at `await`, not at the call."""
    code = """
        async def f():
            return len((await session.later(1)).all())

        coroutine = f()
    """
    reader, stacks = StackReader(Ownership(tmp_path)), []

    class Later:
        def __await__(self):
            stacks.append(reader.stack(reader.read(sys._getframe())))
            return iter(())

    class Session:
        def scalars(self, statement):
            return Later()

    names = application(code.replace("later", "scalars"), session=Session())
    with contextlib.suppress(StopIteration, AttributeError):
        names["coroutine"].send(None)
    [frame] = [frame for frame in stacks[0].frames if frame.info.file == "shop.py"][:1]
    assert little_use(frame, LoopFinder()) is Use.COUNT
