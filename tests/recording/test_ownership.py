"""Ownership: whose code a file holds, and how its path is shown."""

from __future__ import annotations

import os
import sysconfig

import pytest
import sqlalchemy

from pytest_dbguard.recording import recorder
from pytest_dbguard.recording.ownership import CodeKind, Ownership

LIBRARY, APPLICATION, TEST = CodeKind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("shop/orders.py", APPLICATION),
        ("orders.py", APPLICATION),
        ("src/shop/testing.py", APPLICATION),
        ("shop/contest.py", APPLICATION),
        ("tests/helpers.py", TEST),
        ("tests/unit/deep/helpers.py", TEST),
        ("shop/tests/helpers.py", TEST),
        ("test/helpers.py", TEST),
        ("shop/test_orders.py", TEST),
        ("shop/orders_test.py", TEST),
        ("conftest.py", TEST),
        ("shop/conftest.py", TEST),
        ("shop/factories.py", TEST),
        ("factories/orders.py", TEST),
        ("fixtures/orders.py", TEST),
        ("seeds/orders.py", TEST),
        ("shop/seed.py", TEST),
        (".venv/lib/python3.11/site-packages/lib/x.py", LIBRARY),
        ("vendor/dist-packages/x.py", LIBRARY),
    ],
)
def test_by_path_below_the_root(tmp_path, path, kind):
    assert Ownership(tmp_path).of(str(tmp_path / path))[0] is kind


def test_paths_are_shown_relative_to_the_root(tmp_path):
    ownership = Ownership(tmp_path / "app")
    assert ownership.of(str(tmp_path / "app" / "shop" / "orders.py")) == (APPLICATION, "shop/orders.py")
    outside = str(tmp_path / "sibling" / "orders.py")
    assert ownership.of(outside) == (APPLICATION, outside)
    assert ownership.of(str(tmp_path / "application.py"))[1] == str(tmp_path / "application.py")


def test_a_directory_of_tests_above_the_root_makes_no_tests(tmp_path):
    root = tmp_path / "tests" / "app"
    assert Ownership(root).of(str(root / "orders.py")) == (APPLICATION, "orders.py")
    assert Ownership(root).of(str(tmp_path / "tests" / "other" / "orders.py"))[0] is APPLICATION


def test_libraries(tmp_path):
    ownership = Ownership(tmp_path)
    assert ownership.of(sqlalchemy.__file__)[0] is LIBRARY
    assert ownership.of(os.__file__)[0] is LIBRARY
    assert ownership.of(recorder.__file__)[0] is LIBRARY
    assert ownership.of("<string>")[0] is LIBRARY
    assert ownership.of("<frozen importlib._bootstrap>")[0] is LIBRARY


def test_consoles_are_the_application(tmp_path):
    ownership = Ownership(tmp_path)
    for name in ("<stdin>", "<console>", "<python-input-3>", "<ipython-input-3-abc>"):
        assert ownership.of(name) == (APPLICATION, name)


def test_a_root_inside_of_a_library_directory(tmp_path):
    """As in a container whose application lies below the interpreter's prefix."""
    prefix = os.path.realpath(sysconfig.get_paths()["stdlib"])
    root = os.path.join(prefix, "app")
    assert Ownership(root).of(os.path.join(root, "orders.py")) == (APPLICATION, "orders.py")


def test_app_paths(tmp_path):
    ownership = Ownership(tmp_path, app_paths=("shop/", "lib/core"))
    kinds = {path: ownership.of(str(tmp_path / path))[0] for path in (
        "shop/orders.py", "lib/core/x.py", "lib/corex/x.py", "lib/other.py", "shopping/x.py", "tests/x.py",
    )}  # fmt: skip
    assert list(kinds.values()) == [APPLICATION, APPLICATION, LIBRARY, LIBRARY, LIBRARY, TEST]


def test_test_paths_and_files(tmp_path):
    ownership = Ownership(tmp_path, test_paths=("spec",), test_files=("check_*.py",))
    kinds = [
        ownership.of(str(tmp_path / path))[0] for path in ("spec/x.py", "a/check_x.py", "a/test_x.py", "specs/x.py")
    ]
    assert kinds == [TEST, TEST, APPLICATION, APPLICATION]


def test_links_are_followed(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (real / "orders.py").touch()
    (tmp_path / "link").symlink_to(real)
    assert Ownership(tmp_path / "link").of(str(real / "orders.py")) == (APPLICATION, "orders.py")
    assert Ownership(real).of(str(tmp_path / "link" / "orders.py")) == (APPLICATION, "orders.py")


def test_an_answer_is_kept(tmp_path):
    ownership = Ownership(tmp_path)
    path = str(tmp_path / "a.py")
    assert ownership.of(path) is ownership.of(path)
