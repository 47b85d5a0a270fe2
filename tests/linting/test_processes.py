"""Work on many sources in several processes: the same as in one, also when one of them dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.linting import processes
from pytest_dbguard.linting.processes import _shares, shared
from pytest_dbguard.linting.reading import SourceFile

PACKAGE = Path(processes.__file__).parent.parent.parent
PROGRAM = """
import os
from pytest_dbguard.linting import processes
from pytest_dbguard.linting.reading import SourceFile

processes.MIN_BYTES = 1
os.sched_getaffinity = lambda pid: {0, 1, 2}
parent = os.getpid()

def work(share):
    if os.getpid() != parent and any(source.path == "dies" for source in share):
        os._exit(1)
    return os.getpid() == parent, sorted(source.path for source in share)

sources = [SourceFile(path, b"SELECT 1 " * (9 - number)) for number, path in enumerate(["a", "dies", "b", "c"])]
made = processes.shared(work, sources)
print([is_here for is_here, _ in made], sorted(path for _, paths in made for path in paths))
"""


def test_each_share_has_a_process_and_one_that_dies_costs_nothing():
    command = [sys.executable, "-c", PROGRAM]
    variables = {"PYTHONPATH": str(PACKAGE), "PATH": "/usr/bin"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    expected = "[True, True, False] ['a', 'b', 'c', 'dies']\n"
    assert done.stdout == (
        expected if sys.platform not in ("darwin", "win32") else expected.replace("True, True, False", "True")
    )


def test_little_is_done_here():
    sources = [SourceFile("a", b"SELECT 1"), SourceFile("b", b"x" * 1_000_000)]
    assert shared(list, sources) == [sources]


def test_nothing_is_nothing():
    assert shared(list, []) == [[]]


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 8))
def test_every_source_is_in_one_share(sizes, number):
    sources = [SourceFile(str(index), b"x" * size) for index, size in enumerate(sizes)]
    shares = _shares(sources, number)
    assert sorted(each.path for share in shares for each in share) == sorted(each.path for each in sources)
    assert len(shares) <= number
    assert all(shares)
