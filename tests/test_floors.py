"""The floors of the house: a room imports only from floors below its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_dbguard

PACKAGE = Path(pytest_dbguard.__file__).parent
FLOORS = (
    ("core",),
    ("config", "sql"),
    ("recording", "schema", "databases"),
    ("templates",),
    ("planning", "resets", "baseline"),
    ("rules",),
    ("analysis",),
    ("reports",),
    ("testing", "runtime", "linting"),
    ("plugin", "cli", "runtime_fixtures", "api", "dev_server"),
    ("__main__", "__init__"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = ("sqlalchemy", "sqlglot", "pydantic", "typer", "rich", "testcontainers", "psycopg")


def imported(tree):
    """Yield (line, dotted name) of every import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = node.names if module == "pytest_dbguard" else ()
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            if not names:
                yield node.lineno, module


def violations(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room not in FLOOR:
        yield f"{room}: a room without a floor; give it one in FLOORS"
        return
    for line, name in imported(ast.parse(path.read_text())):
        top, _, rest = name.partition(".")
        other = rest.partition(".")[0] or "__init__"
        if top == "" or (top == "pytest_dbguard" and other != room and FLOOR.get(other, 99) >= FLOOR[room]):
            yield f"{path.relative_to(PACKAGE)}:{line}: {room} (floor {FLOOR[room]}) imports {name}"
        if room == "runtime" and top in {"pytest", "_pytest"}:
            yield f"{path.relative_to(PACKAGE)}:{line}: runtime imports {name}"
        if room == "core" and top != "pytest_dbguard" and top not in sys.stdlib_module_names:
            yield f"{path.relative_to(PACKAGE)}:{line}: core imports {name}, not of the standard library"


def test_a_room_imports_only_from_floors_below():
    found = [text for path in sorted(PACKAGE.rglob("*.py")) for text in violations(path)]
    assert not found, "\n".join(found)


def test_plugin_imports_with_only_the_standard_library_and_pytest():
    block = f"import sys; sys.modules.update(dict.fromkeys({HEAVY}))"
    code = f"{block}; import pytest_dbguard.plugin"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("flags", [(), ("--no-dbguard",)])
def test_a_plain_run_of_pytest_needs_none_of_the_libraries(pytester, flags):
    """The plugin is loaded by its entry point, before which a sitecustomize blocks every library."""
    pytester.makepyfile(sitecustomize=f"import sys; sys.modules.update(dict.fromkeys({HEAVY}))")
    pytester.makepyfile(
        """
        import pytest

        def test_blocked():
            with pytest.raises(ImportError):
                import sqlalchemy
        """
    )
    result = pytester.runpytest_subprocess(*flags)
    result.assert_outcomes(passed=1)


def test_a_run_with_dbguard_starts_without_what_its_end_may_need(pytester):
    pytester.makeconftest(
        """
        import sys

        def pytest_collection_finish():
            late = ("sqlglot", "psycopg", "testcontainers", "pytest_dbguard.planning.assess",
                    "pytest_dbguard.databases.registry", "pytest_dbguard.schema.postgres_reflection")
            print("loaded:", [name for name in late if name in sys.modules])
        """
    )
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--dbguard", "-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*loaded: [[][]]"])
