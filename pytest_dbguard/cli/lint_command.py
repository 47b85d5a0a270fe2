"""Carries out `dbguard lint`: from what was asked for to reports, and what is remembered of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.cli.lint_schema import LintSchema, lint_schema
from pytest_dbguard.core.errors import ConfigError

if TYPE_CHECKING:
    from pytest_dbguard.baseline.model import Baseline
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.linting.lint_run import LintOutcome, LintRequest
    from pytest_dbguard.linting.reading import SourceFile
    from pytest_dbguard.linting.targets import Targets
    from pytest_dbguard.schema.catalog import Dialect

_CONFIG_FILES = ("pyproject.toml", "dbguard.toml")


@dataclass(frozen=True, slots=True)
class LintCommand:
    """What was asked for; paths are absolute."""

    words: tuple[str, ...]
    root: Path
    config: Config
    config_file: Path | None = None
    database: str | None = None
    schema: str | None = None
    dialect: str | None = None
    reports: tuple[str, ...] = ("term",)
    baseline: Path | None = None
    updates_baseline: bool = False
    uses_cache: bool = True
    exit_zero: bool = False
    verbosity: int = 0


def run(command: LintCommand, argv: Sequence[str]) -> int:
    """Judge, report, and return the exit status.

    Args:
        command: What was asked for.
        argv: The command line; by what stands behind `lint` the verdict is remembered, where nothing stands before.

    Raises:
        DbguardError: For what cannot be used.
    """
    from pytest_dbguard.linting.fast_path import Watched, remember
    from pytest_dbguard.linting.lint_run import run_lint
    from pytest_dbguard.linting.presentation import Presentation, present
    from pytest_dbguard.reports.registry import parse_report

    how = Presentation(command.reports, command.verbosity, command.exit_zero)
    for text in command.reports:
        parse_report(text)
    targets = _targets(command)
    found, excludes = _discovered(command, targets)
    schema = lint_schema(
        command.config,
        command.root,
        database=command.database,
        schema=command.schema,
        models=targets.models,
        dialect=command.dialect,
    )
    request = _request(command, targets, found, schema)
    outcome = run_lint(request, _cache(command))
    if command.updates_baseline:
        outcome = _accepted(command, outcome)
    can_be_kept = command.uses_cache and not (schema.is_remote or targets.reads_stdin or outcome.is_weaker)
    if can_be_kept and list(argv[1:2]) == ["lint"] and not command.updates_baseline:
        others = (*_others(command, targets), *schema.files, *(file for each in request.files for file in each.files))
        watched = Watched(targets.paths, command.root, excludes, found, tuple(dict.fromkeys(others)))
        remember(argv[2:], outcome.verdict, outcome.problems, how, watched)
    return present(outcome.verdict, outcome.problems, how, command.root)


def _targets(command: LintCommand) -> Targets:
    """Return what is to be judged: what was named, what the settings name, else the project."""
    from pytest_dbguard.linting.targets import read_targets

    if command.words:
        return read_targets(command.words, Path.cwd())
    if command.config.lint_targets:
        return read_targets(command.config.lint_targets, command.root)
    return read_targets((".",), Path.cwd())


def _discovered(command: LintCommand, targets: Targets) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    from pytest_dbguard.linting.discovery import discover

    excludes = command.config.lint_exclude
    return discover(targets.paths, command.root, excludes), excludes


def _request(command: LintCommand, targets: Targets, found: Sequence[Path], schema: LintSchema) -> LintRequest:
    from pytest_dbguard.analysis.judge import active_rules
    from pytest_dbguard.analysis.plan_sources import PlanSources
    from pytest_dbguard.analysis.setting_ignores import setting_ignores
    from pytest_dbguard.core.verdict import BaselineState
    from pytest_dbguard.databases.settings import start_options
    from pytest_dbguard.linting.lint_run import LintRequest
    from pytest_dbguard.linting.result_cache import version_stamp
    from pytest_dbguard.recording.ownership import Ownership

    config, root = command.config, command.root
    rules = active_rules(
        select=config.select,
        ignore=config.ignore,
        preview=config.preview,
        tables=config.rules,
        place=config.sources["rules"],
    )
    baseline = _baseline(command)
    shown = None if command.baseline is None else _shown(command.baseline, root)
    kept_by = [config.select, config.ignore, config.preview, config.rules, config.scale, config.statistics]
    return LintRequest(
        root=root,
        rules=rules,
        sources=PlanSources(root, config.statistics, config.scale, config.lab, start_options(config, root)),
        ownership=Ownership(root, test_paths=config.test_paths),
        files=_sources(found, targets, root),
        workloads=_workloads(targets),
        catalog=schema.catalog,
        dialect=_dialect(command, schema),
        sites=schema.sites,
        ignores=setting_ignores(config, root),
        test_code=config.test_code,
        baseline=baseline,
        state=BaselineState(shown, len(baseline.entries) if baseline is not None else 0),
        fail_on=config.fail_level,
        told=schema.told,
        settings=repr([version_stamp(), *kept_by]),
    )


def _dialect(command: LintCommand, schema: LintSchema) -> Dialect | None:
    """Return whose grammar is meant: what was said, the schema's, what the settings say; else the texts tell."""
    from pytest_dbguard.linting.workloads import dialect_named
    from pytest_dbguard.schema.catalog import Dialect

    if command.dialect is not None:
        return dialect_named(command.dialect)
    if schema.catalog is not None:
        return schema.catalog.dialect
    config = command.config
    named = config.database or (config.url or config.environment.url or "").partition("://")[0]
    if not named:
        return None
    return Dialect.POSTGRESQL if "postgres" in named else Dialect.SQLITE


def _sources(found: Sequence[Path], targets: Targets, root: Path) -> tuple[SourceFile, ...]:
    from pytest_dbguard.linting.reading import SourceFile, source_file
    from pytest_dbguard.sql.splitting import STDIN_PATH

    files = [source_file(path, root) for path in found]
    if targets.reads_stdin:
        files.append(SourceFile(STDIN_PATH, sys.stdin.buffer.read()))
    return tuple(files)


def _workloads(targets: Targets) -> tuple[Any, ...]:
    if not targets.workloads:
        return ()
    from pytest_dbguard.planning.workload_source import read_workload_source

    return tuple(pair for path in targets.workloads for pair in read_workload_source(path).pairs)


def _baseline(command: LintCommand) -> Baseline | None:
    from pytest_dbguard.baseline.file import read_baseline

    if command.updates_baseline and command.baseline is None:
        raise ConfigError("--update-baseline needs a file", hint="name it with --baseline FILE")
    if command.baseline is None:
        return None
    if not command.updates_baseline and not command.baseline.exists():
        raise ConfigError(f"there is no baseline {str(command.baseline)!r}", hint="--update-baseline makes it")
    return read_baseline(command.baseline)


def _accepted(command: LintCommand, outcome: LintOutcome) -> LintOutcome:
    """Accept all that was found, and return the outcome that says so."""
    from pytest_dbguard.baseline.file import write_baseline
    from pytest_dbguard.baseline.model import Baseline

    assert command.baseline is not None
    verdict = outcome.verdict
    # what lint finds comes from sources alone: what it does not find any more is gone
    baseline = Baseline().updated(verdict.findings, ())
    write_baseline(command.baseline, baseline)
    state = replace(verdict.baseline, entries=len(baseline.entries), updated=True)
    return replace(outcome, verdict=replace(verdict, findings=baseline.apply(verdict.findings), baseline=state))


def _cache(command: LintCommand) -> Any:
    from pytest_dbguard.linting.result_cache import ResultCache, lint_directory

    directory = lint_directory() if command.uses_cache else None
    return None if directory is None else ResultCache(directory, command.root)


def _others(command: LintCommand, targets: Targets) -> tuple[Path, ...]:
    """Return the files besides the sources that decide what is found, whether they are there or not."""
    from pytest_dbguard.planning.statistics.model import DEFAULT_FILE

    root, config = command.root, command.config
    settings = [root / name for name in _CONFIG_FILES]
    named = [command.config_file, command.baseline]
    statistics = root / (config.statistics or DEFAULT_FILE)
    return (*settings, *(path for path in named if path is not None), statistics, *targets.workloads)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
