"""Globs of paths: what they cover, and which cannot be used."""

from __future__ import annotations

import pytest

from pytest_dbguard.config.path_globs import PathGlob


@pytest.mark.parametrize(
    ("glob", "path", "covers"),
    [
        ("shop/legacy/*", "shop/legacy/a.py", True),
        ("shop/legacy/*", "shop/legacy/deep/a.py", True),
        ("shop/legacy/*", "shop/legacy.py", False),
        ("shop/legacy/*", "shop/new/a.py", False),
        ("shop/legacy", "shop/legacy/a.py", True),
        ("shop/legacy/", "shop/legacy/a.py", True),
        ("shop/legacy", "shop/legacy2/a.py", False),
        ("shop/*.py", "shop/a.py", True),
        ("shop/*.py", "shop/deep/a.py", False),
        ("*.py", "a.py", True),
        ("*.py", "shop/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "shop/deep/a.py", True),
        ("shop/**/models.py", "shop/models.py", True),
        ("shop/**/models.py", "shop/a/b/models.py", True),
        ("shop/**/models.py", "shop/a/b/other.py", False),
        ("shop/**", "shop/a/b.py", True),
        ("shop/**", "shop.py", False),
        ("tests/test_?.py", "tests/test_a.py", True),
        ("tests/test_?.py", "tests/test_ab.py", False),
        ("a+b/(c).py", "a+b/(c).py", True),
        ("a.py", "abpy", False),
    ],
)
def test_what_it_covers(glob, path, covers):
    assert PathGlob(glob).problem is None
    assert PathGlob(glob).matches(path) is covers


@pytest.mark.parametrize(
    ("glob", "message"),
    [
        ("", "'' names no path"),
        ("/", "'/' names no path"),
        ("/shop/a.py", "'/shop/a.py' is not relative to the root"),
        ("../shop/a.py", "is not relative to the root"),
        ("./shop", "is not relative to the root"),
        ("shop\\legacy", "holds a backslash"),
        ("shop/a**/b.py", "`**` stands for whole directories"),
    ],
)
def test_what_cannot_be_used(glob, message):
    problem = PathGlob(glob).problem
    assert message in problem[0]
    assert problem[1]


@pytest.mark.parametrize(
    ("glob", "base"),
    [("shop/legacy/*", "shop/legacy"), ("shop/a.py", "shop/a.py"), ("**/a.py", ""), ("shop/?/b", "shop")],
)
def test_what_must_exist(glob, base):
    assert PathGlob(glob).base == base
