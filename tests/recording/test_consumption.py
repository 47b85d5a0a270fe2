"""Whether a query's result is taken as one object, told from the source of the call."""

from __future__ import annotations

import sys

import pytest

from pytest_dbguard.recording.consumption import takes_one
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

    scalars = execute_later = first = scalar_one = all = scalar_one_or_none = unique = one

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
