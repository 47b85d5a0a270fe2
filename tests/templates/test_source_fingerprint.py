"""Which changes of a project's code change the fingerprint of a function."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "conftest.py": """
import functools
from shop import factories
from shop.models import Item
ROWS = [("tea", 1), ("cup", 2)]
UNUSED = 1

def name_of(number):
    return f"item {number}"

def unused():
    return 1

def seed(session):
    for row in ROWS:
        session.add(Item(name_of(row)))
    factories.make(session, "seed.json")

def outer(amount):
    def inner(session):
        session.add(amount)
    return inner

closed = outer(5)
partly = functools.partial(seed, 7)

class Seeder:
    def __call__(self, session): ...
    def fill(self, session): ...
""",
    "shop/__init__.py": "",
    "shop/factories.py": "def make(session, name):\n    from shop.late import value\n    from . import nearby\n",
    "shop/models.py": "import shop.base\nclass Item: ...\n",
    "shop/base.py": "",
    "shop/late.py": "value = 1\n",
    "shop/nearby.py": "",
    "shop/stranger.py": "",
    "seed.json": "{}",
    ".venv/lib/site-packages/installed.py": "",
}
PROGRAM = """
import sys
from pathlib import Path
root = Path(sys.argv[1])
sys.path[:0] = [str(root), str(root / ".venv/lib/site-packages")]
import conftest
from pytest_dbguard.templates.source_fingerprint import source_fingerprint
print(source_fingerprint(eval("conftest." + sys.argv[2]), root).hex())
"""


@pytest.fixture
def fingerprint(tmp_path):
    """Return the fingerprint of a function of conftest.py, in a process of its own, after changes of files."""

    def fingerprint(function="seed", changes=(), seed="0"):
        for name, content in {**FILES, **dict(changes)}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", PROGRAM, tmp_path, function]
        return subprocess.run(command, env=environ, capture_output=True, check=True, text=True).stdout

    return fingerprint


def changed(name, old="", new=""):
    content = FILES[name]
    assert old in content
    return {name: content.replace(old, new) if old else content + new}


def test_it_is_the_same_in_every_process(fingerprint):
    assert len({fingerprint(seed=seed) for seed in "012"}) == 1


def test_what_it_reaches_counts(fingerprint):
    changes = [
        changed("conftest.py", "factories.make(session", "factories.make(  session"),
        changed("conftest.py", '("cup", 2)', '("cup", 3)'),
        changed("conftest.py", 'f"item ', 'f"article '),
        *(changed(f"shop/{name}.py", new="x = 1\n") for name in ("factories", "models", "base", "late", "nearby")),
        changed("shop/__init__.py", new="x = 1\n"),
        changed("seed.json", "{}", "[]"),
    ]
    found = [fingerprint()] + [fingerprint(changes=change) for change in changes]
    assert len(set(found)) == len(found)


def test_what_it_does_not_reach_does_not_count(fingerprint):
    changes = [
        changed("conftest.py", "UNUSED = 1", "UNUSED = 2"),
        changed("conftest.py", "def unused():\n    return 1", "def unused():\n    return 2"),
        changed("shop/stranger.py", new="x = 1\n"),
        changed(".venv/lib/site-packages/installed.py", new="x = 1\n"),
    ]
    assert {fingerprint(changes=change) for change in changes} == {fingerprint()}


@pytest.mark.parametrize(
    ("function", "change"),
    [
        ("closed", changed("conftest.py", "outer(5)", "outer(6)")),
        ("partly", changed("conftest.py", "partial(seed, 7)", "partial(seed, 8)")),
        ("partly", changed("shop/late.py", new="x = 1\n")),
        ("Seeder()", changed("conftest.py", "def __call__(self, session): ...", "def __call__(self, session): 1")),
        ("Seeder().fill", changed("conftest.py", "def fill(self, session): ...", "def fill(self, session): 1")),
        ("factories.make", changed("shop/late.py", new="x = 1\n")),
    ],
)
def test_functions_of_all_kinds(fingerprint, function, change):
    assert fingerprint(function) != fingerprint(function, change)
    assert fingerprint(function) == fingerprint(function, seed="1")


def test_a_function_without_source_counts_by_what_it_does():
    from pytest_dbguard.templates.source_fingerprint import source_fingerprint

    def made(source):
        namespace = {}
        exec(source, namespace)
        return source_fingerprint(namespace["f"], Path("/nowhere"))

    same = [made("def f(s): s.add(1)"), made("def f(s):\n    s.add(1)")]
    assert same[0] == same[1]
    others = {made(f"def f(s): {body}") for body in ("s.add(2)", "s.delete(1)", "return [x + 1 for x in s]")}
    assert len({same[0], *others}) == 4
