"""Loops: which ones a call stands in, on every Python; a program calls `probe()` and tells what must be found."""

from __future__ import annotations

import asyncio
import linecache
import sys
import tomllib
from pathlib import Path

import pytest

from pytest_dbguard.recording.frames import StackReader
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.ownership import Ownership


def read_cases(file, answer):
    cases = tomllib.loads((Path(__file__).parent / "cases" / file).read_text())["case"]
    return {case["name"]: (case["code"].strip("\n"), case[answer]) for case in cases}


CASES = read_cases("loops.toml", "loops")
LEFT = read_cases("left_loops.toml", "left")


class Manager:
    def __init__(self, *arguments): ...
    def __enter__(self): ...
    def __exit__(self, *exception): ...
    async def __aenter__(self): ...
    async def __aexit__(self, *exception): ...


async def ticks():
    yield 1


def decorate(*arguments):
    return lambda function: lambda *given: function(*given)


class Nowhere:
    def write(self, text): ...
    def flush(self): ...


@pytest.fixture
def probe(tmp_path, application):
    """A function that runs code and returns the stack at its only call of `probe`."""

    def run(code, **names):
        reader = StackReader(Ownership(tmp_path))
        stacks = []

        def probe():
            stacks.append(reader.stack(reader.read(sys._getframe(1))))

        names |= {"probe": probe, "y": 1, "manager": Manager, "amanager": Manager, "ticks": ticks}
        found = application(code, decorate=decorate, out=Nowhere(), **names)
        if "main" in found:
            asyncio.run(found["main"]())
        # this file's own frames below the program are not its loops
        return [[frame for frame in stack.frames if frame.info.file == "shop.py"] for stack in stacks]

    return run


def loops_of(frames):
    finder = LoopFinder()
    return [loop for frame in frames for loop in finder.loops(frame)]


@pytest.mark.parametrize("name", CASES)
def test_loops_around(probe, name):
    code, heads = CASES[name]
    [frames] = probe(code)
    assert [loop.head for loop in loops_of(frames)] == heads


@pytest.mark.parametrize("name", CASES)
def test_loops_around_in_a_function(probe, name):
    """The same programs in a function: other bytecode, and names in other places."""
    code, heads = CASES[name]
    word = "async def main" if "async def main" in code else "def work"
    lines = "\n".join("    " + line for line in code.split("\n"))
    call = "    await main()" if word.startswith("async") else "work()"
    [frames] = probe(f"{word}():\n{lines}\n{call}")
    assert [loop.head for loop in loops_of(frames)] == heads


def test_where_the_head_stands(probe):
    [frames] = probe("def f():\n    if y:\n        for x in [y]:\n            probe()\nf()")
    [loop] = loops_of(frames)
    assert (loop.site.file, loop.site.line, loop.site.column, loop.site.function) == ("shop.py", 3, 9, "f")
    assert not loop.site.in_test_code


@pytest.mark.parametrize("name", LEFT)
def test_loops_that_are_left(probe, name):
    """Retries and searches: one more round only follows a failure."""
    code, is_left = LEFT[name]
    [frames] = probe(code)
    loop = loops_of(frames)[0]
    assert (loop.is_left, loop.owns) == (is_left, not is_left)


@pytest.mark.parametrize(
    ("code", "fact"),
    [
        ("import time\nfor x in [y]:\n    probe()\n    time.sleep(0)", "pauses"),
        (
            "async def main():\n    import asyncio\n    for x in [y]:\n        probe()\n        await asyncio.sleep(0)",
            "pauses",
        ),
        ("for x in range(0, 5, 5):\n    probe()", "takes_batches"),
        ("def chunks(a):\n    return [a]\nfor x in chunks([y]):\n    probe()", "takes_batches"),
        ("pages = [y]\n[probe() for page in pages]", "takes_batches"),
        ("for x in [y]:\n    with self.subTest(x=x):\n        probe()", "starts_subtests"),
        ("for x in [y]:\n    with subtests.test(x=x):\n        probe()", "starts_subtests"),
        ("for x in range(1):\n    probe()", None),
    ],
)
def test_facts_of_a_loop(probe, code, fact):
    class Tests:
        subTest = test = staticmethod(lambda **named: Manager())

    [frames] = probe(code, self=Tests, subtests=Tests)
    [loop] = loops_of(frames)
    facts = ("is_left", "pauses", "takes_batches", "starts_subtests")
    assert [name for name in facts if getattr(loop, name)] == ([fact] if fact else [])
    assert loop.owns == (fact != "starts_subtests")


def test_heads_show_no_values(probe):
    code = """
    for name in ["secret", 1, 2]:
        if name == 2:
            for key in (b"secret", f(name, "secret")):
                if key == "end":
                    probe()
    """
    [frames] = probe(code, f=lambda *values: "end")
    assert [loop.head for loop in loops_of(frames)] == ["for key in (…, f(name, …)):", "for name in […]:"]


def test_long_heads_are_cut(probe):
    name = "a" * 80
    [frames] = probe(f"{name} = [1]\nfor x in {name}:\n    probe()")
    [loop] = loops_of(frames)
    assert len(loop.head) == 60
    assert loop.head.endswith("…")


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("probe()", 0),
        ("for x in [y]:\n    probe()", 1),
        ("n = 1\nwhile n:\n    n = 0\n    for x in [y]:\n        probe()", 2),
        ("for x in [y]:\n    pass\nprobe()", 0),
        ("for x in [probe()]:\n    pass", 0),
        ("[probe() for x in [y]]", 1),
    ],
)
def test_code_without_source(tmp_path, body, count):
    """Generated functions and templates: loops are told by the bytecode's jumps."""
    reader = StackReader(Ownership(tmp_path))
    stacks = []

    def probe():
        stacks.append(reader.stack(reader.read(sys._getframe(1))))

    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    exec(compile(f"def f():\n{lines}f()", str(tmp_path / "nowhere.py"), "exec"), {"probe": probe, "y": 1})
    frames = [frame for frame in stacks[0].frames if frame.info.file == "nowhere.py"]
    loops = loops_of(frames)
    assert len(loops) == count
    assert all(loop.head.startswith("a loop at nowhere.py:") for loop in loops)


def test_a_file_that_changed_since(probe, tmp_path):
    """Positions that do not fit the source are no reason to fail."""
    [frames] = probe("def f():\n    for x in [y]:\n        probe()\nf()")
    for text in ("", "def (", "x = 1\n", "\n" * 50):
        (tmp_path / "shop.py").write_text(text)
        linecache.checkcache()
        assert all(isinstance(loop.head, str) for loop in loops_of(frames))


def test_a_loop_is_searched_once(probe):
    [frames] = probe("for x in [y]:\n    probe()")
    finder = LoopFinder()
    assert finder.loops(frames[0]) is finder.loops(frames[0])
