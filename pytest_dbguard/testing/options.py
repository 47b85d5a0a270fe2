"""The command-line options, ini keys and the marker of the pytest plugin. Imports nothing but pytest."""

from __future__ import annotations

from typing import Any

import pytest

MARKER = (
    "dbguard(max_queries=None, query_tolerance=None, ignore=None, reason=None, cold=None, off=False, reset=None, "
    "fresh=False, reset_after='function'): query budget of a test, queries that it may run more than the baseline "
    "says, rules not to report in it (a list of codes or names) with the reason, whether to run it again with a cold "
    "session, or no judgement at all; how its database is cleaned (committed, rollback, clone, truncate, none), "
    "whether it gets a copy of its own, and after what: each function, class, module, package or the session"
)

_VALUES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("select", "CODES", "report only these rules: codes, prefixes (DBG1) or names, separated by commas", {}),
    ("ignore", "CODES", "do not report these rules; RULE:SUBJECT leaves out one subject or a glob of them", {}),
    (
        "fail-on",
        "LEVEL",
        "fail the run on new findings from this severity on: error, warning, note, never",
        {},
    ),
    ("test-code", "MODE", "findings about test code: note (default), report or off", {}),
    ("max-queries", "N", "the number of statements a test may run in its call phase", {"type": int}),
    (
        "slow-ms",
        "N",
        "note statements that take longer than this many milliseconds (default: 500)",
        {"type": float},
    ),
    (
        "baseline",
        "PATH",
        'file of accepted findings and numbers of queries (default: dbguard-baseline.json); "none" judges everything',
        {},
    ),
    ("env", "NAME", "use the table [tool.dbguard.env.NAME] (default: test)", {}),
    (
        "database",
        "KIND",
        "database of the dbguard fixtures: auto, sqlite, postgres-url, postgres-local, postgres-embedded, "
        "postgres-container",
        {},
    ),
    ("url", "URL", "running server on which the dbguard fixtures make their databases", {}),
    (
        "statistics",
        "PATH",
        "production's planner statistics, for plans at its sizes (default: dbguard-stats.json where it is there)",
        {},
    ),
    (
        "lab",
        "WHERE",
        "where plans are made: auto (default), server (also with forged files on a server given by its URL), off",
        {},
    ),
    ("save-workload", "FILE", "write the statements of the run to this file, without values, for dbguard advise", {}),
    (
        "reset",
        "HOW",
        "how a test gets clean data: committed (default), rollback, clone, truncate, none",
        {},
    ),
)
_SWITCHES: tuple[tuple[str, str], ...] = (
    ("update-baseline", "accept the findings and the numbers of queries of the tests that ran into the baseline"),
    ("prune-baseline", "drop accepted findings that no longer occur and tests that are gone; only when all tests run"),
    ("cold", "run tests again with sessions emptied before the application reads, to show hidden loads"),
    ("show-queries", "print the statements of failing tests"),
    ("keep", "keep the databases of failed tests and print their URLs"),
)


def add_options(parser: pytest.Parser) -> None:
    """Register options and ini keys. No option takes an optional value, which would swallow a path after it."""
    group = parser.getgroup("dbguard", "database queries (pytest-dbguard)")
    group.addoption("--dbguard", action="store_true", default=None, help="record and judge database queries")
    group.addoption("--no-dbguard", action="store_true", help="switch dbguard off; wins over --dbguard and the ini key")
    for name, metavar, text, extra in _VALUES:
        group.addoption(f"--dbguard-{name}", metavar=metavar, default=None, dest=_dest(name), help=text, **extra)
    group.addoption(
        "--dbguard-report",
        metavar="TYPE[:DEST]",
        action="append",
        default=None,
        dest=_dest("report"),
        help="write a report: term, concise or json, to a file with :DEST; may be given several times",
    )
    for name, text in _SWITCHES:
        group.addoption(f"--dbguard-{name}", action="store_true", default=None, dest=_dest(name), help=text)
    parser.addini("dbguard", "record and judge database queries, as --dbguard does", type="bool", default=False)


def is_enabled(config: pytest.Config) -> bool:
    """Whether queries are to be recorded and judged."""
    if config.getoption("--no-dbguard"):
        return False
    return bool(config.getoption("--dbguard") or config.getini("dbguard"))


def refuse_lonely_flags(config: pytest.Config) -> None:
    """Raise UsageError for flags that write what a run recorded in a run that records nothing."""
    if config.getoption("--no-dbguard") or config.option.collectonly:
        return
    for name in ("update-baseline", "prune-baseline", "save-workload"):
        if config.getoption(_dest(name)):
            raise pytest.UsageError(f"dbguard: --dbguard-{name} needs --dbguard: nothing was to be recorded")


def given_flags(config: pytest.Config) -> dict[str, Any]:
    """Return the values of our options by the names of the configuration's fields; None where not given."""
    names = [name for name, *_ in _VALUES] + [name for name, _ in _SWITCHES] + ["report"]
    flags = {name.replace("-", "_"): config.getoption(_dest(name)) for name in names}
    for name in ("select", "ignore"):
        if flags[name] is not None:
            flags[name] = tuple(word.strip() for word in flags[name].split(",") if word.strip())
    if flags["report"] is not None:
        flags["report"] = tuple(flags["report"])
    return flags


def _dest(name: str) -> str:
    return "dbguard_" + name.replace("-", "_")
