"""Check the configuration: settings, options of rules, reports, and paths."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.cli.checks.base import Check, State, Subject, problem
from pytest_dbguard.config.file import find_file, shown_path
from pytest_dbguard.config.model import Config
from pytest_dbguard.config.path_globs import PathGlob
from pytest_dbguard.core.errors import DbguardError


def check_settings(subject: Subject) -> Iterator[Check]:
    """Yield whether the configuration can be used as it stands."""
    try:
        config = subject.config()
        rules = _number_of_rules(config)
        _read_ignores(config, subject)
        _read_reports(config)
        path = subject.file or find_file(subject.root)
    except DbguardError as error:
        yield problem("configuration", error)
        return
    place = shown_path(path, subject.root) if path else "defaults, there is no pyproject.toml"
    yield Check(State.OK, f"configuration: {place}, environment {config.env}, {rules} rule{'' if rules == 1 else 's'}")
    yield from _paths(config, subject)


def _number_of_rules(config: Config) -> int:
    from pytest_dbguard.analysis.judge import active_rules

    active = active_rules(
        select=config.select,
        ignore=config.ignore,
        preview=config.preview,
        tables=config.rules,
        slow_ms=config.slow_ms,
    )
    return len(active)


def _read_ignores(config: Config, subject: Subject) -> None:
    from pytest_dbguard.analysis.setting_ignores import setting_ignores

    setting_ignores(config, subject.root)


def _read_reports(config: Config) -> None:
    from pytest_dbguard.reports.registry import parse_report

    for text in config.report:
        parse_report(text)


def _paths(config: Config, subject: Subject) -> Iterator[Check]:
    """Yield paths that do not exist: nothing would ever be found in them."""
    ignored = tuple(dict.fromkeys(PathGlob(text).base for text in config.per_path_ignores))
    for key, paths in (
        ("app-paths", config.app_paths),
        ("test-paths", config.test_paths),
        ("per-path-ignores", ignored),
    ):
        for path in paths:
            if not (subject.root / path).exists():
                yield Check(State.PROBLEM, f"{key}: {path!r} does not exist in {subject.root}", "mend or remove it")
