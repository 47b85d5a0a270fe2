"""`dbguard baseline show|update|prune`: look at what is accepted, accept what there is, drop what is gone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_dbguard.cli.output import Output, OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root
from pytest_dbguard.core.errors import BaselineError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_dbguard.baseline.counts import CountEntry, Counts
    from pytest_dbguard.baseline.model import Baseline, Entry
    from pytest_dbguard.baseline.plans import PlanEntry, Plans

FORMAT = 1
"""Version of the JSON.

1: "path", "findings", "counts" (most queries first), each with what stands in the file; "plans" (dearest first) and
"planned_with" were added.
"""

SHOWN_TESTS = 20
SHOWN_PLANS = 20
_SHOWN_SHAPES = 3
_ACCEPT = "to accept what there is: dbguard baseline update"
_PASSED_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}

baseline = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Show, update or prune the file of what is accepted.",
)


@baseline.command(short_help="Show what is accepted, which tests run most, and which plans cost most.")
def show(
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the file can be read.")] = False,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Show what is accepted, by file, the tests that run most queries, and the plans that cost most.

    Exit status 2 when the file cannot be read.
    """
    from pytest_dbguard.baseline.file import read_baseline
    from pytest_dbguard.config.load import load_config

    root = project_root(directory)
    config = load_config(root, file=file and file.resolve())
    path = config.baseline_path(root)
    found = _existing(path, needed=check)
    if found is None:
        standard_output().paragraph(f"{'no baseline is used' if path is None else f'no baseline yet; {_ACCEPT}'}")
        return
    accepted = read_baseline(found)
    if check:
        standard_output().line(f"{config.baseline}: {_summary(accepted)}")
    elif output_format is OutputFormat.JSON:
        print(json.dumps(_document(config.baseline, accepted), indent=2, ensure_ascii=False))
    else:
        _print_text(config.baseline, accepted, standard_output())


@baseline.command(short_help="Accept what the tests show now.", context_settings=_PASSED_ON)
def update(ctx: typer.Context) -> int:
    """Accept the findings and the numbers of queries that the tests show: pytest --dbguard --dbguard-update-baseline.

    Further arguments are pytest's: paths, -k, -n. The exit status is pytest's.
    """
    return _pytest("--dbguard-update-baseline", ctx.args)


@baseline.command(short_help="Drop what is gone.", context_settings=_PASSED_ON)
def prune(ctx: typer.Context) -> int:
    """Drop accepted findings that no longer occur and tests that are gone: pytest --dbguard --dbguard-prune-baseline.

    Further arguments are pytest's; runs of some of the tests drop nothing. The exit status is pytest's.
    """
    return _pytest("--dbguard-prune-baseline", ctx.args)


def _pytest(flag: str, arguments: Iterable[str]) -> int:
    command = [sys.executable, "-m", "pytest", "--dbguard", flag, *arguments]
    with subprocess.Popen(command) as process:  # noqa: S603  what the user wrote is for pytest
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # pytest got it too, and has fixtures to take down
                continue


def _existing(path: Path | None, *, needed: bool) -> Path | None:
    """Return the file when it is there.

    Raises:
        BaselineError: When it is needed and not there.
    """
    if path is not None and path.exists():
        return path
    if needed:
        raise BaselineError("no baseline is used" if path is None else f"there is no baseline {path}", hint=_ACCEPT)
    return None


def _summary(accepted: Baseline) -> str:
    from pytest_dbguard.reports.wording import counted

    tests = counted(len(accepted.counts.tests), "test")
    shapes = len(accepted.plans.keys)
    plans = f", plans of {counted(shapes, 'statement')}" if shapes else ""
    return f"{counted(len(accepted.entries), 'finding')}, counts of {tests}{plans}"


def _document(path: str, accepted: Baseline) -> dict[str, Any]:
    from pytest_dbguard.baseline.document import basis_json, count_line, finding_line, plan_line

    texts = dict(accepted.counts.texts)
    counts = []
    for entry in _biggest_first(accepted.counts):
        line = json.loads(count_line(entry))
        statements = [{"count": n, "shape_id": shape, "shape": texts.get(shape, "")} for shape, n in _worst(entry)]
        counts.append({**line, "total": entry.total, "statements": statements})
    findings = [json.loads(finding_line(entry)) for entry in accepted.entries]
    shapes = dict(accepted.plans.texts)
    plans = [
        {**json.loads(plan_line(entry)), "shape_id": entry.key.shape, "shape": shapes.get(entry.key.shape, "")}
        for entry in _dearest_first(accepted.plans)
    ]
    made_with = {dialect: basis_json(basis) for dialect, basis in accepted.plans.made_with.items()}
    listed = {"findings": findings, "counts": counts, "plans": plans, "planned_with": made_with}
    return {"format": FORMAT, "path": path, **listed}


def _biggest_first(counts: Counts) -> list[CountEntry]:
    return sorted(counts.entries, key=lambda entry: (-entry.total, entry.order))


def _dearest_first(plans: Plans) -> list[PlanEntry]:
    return sorted(plans.entries, key=lambda entry: (-(entry.cost or 0.0), entry.order))


def _worst(entry: CountEntry) -> list[tuple[str, int]]:
    return sorted(entry.statements, key=lambda item: (-item[1], item[0]))


def _print_text(path: str, accepted: Baseline, output: Output) -> None:
    output.line(output.style.paint(f"{path}: {_summary(accepted)}", "bold"))
    for file, entries in groupby(accepted.entries, key=lambda entry: entry.file):
        output.line()
        output.line(output.style.paint(file or "(no file)", "bold"))
        for entry in entries:
            for text, indent in _finding_lines(entry):
                output.paragraph(text, indent=indent + "  ", first=indent)
    _print_counts(accepted.counts, output)
    _print_plans(accepted.plans, output)


def _finding_lines(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield text and indent of the lines of an accepted finding."""
    function = f" in {entry.function}" if entry.function else ""
    places = f" ({entry.places} places)" if entry.places > 1 else ""
    yield f"{entry.rule} {entry.subject}{function}{places}", "  "
    for test in entry.tests:
        yield test, "    "


def _print_counts(counts: Counts, output: Output) -> None:
    from pytest_dbguard.reports.queries import QueryGroup, render_queries
    from pytest_dbguard.reports.wording import counted, queries

    texts = dict(counts.texts)
    shown = _biggest_first(counts)
    for entry in shown[:SHOWN_TESTS]:
        scope = "" if entry.scope == "call" else f", {entry.scope}"
        parameters = f" (parameters {entry.key.parameters})" if entry.key.parameters else ""
        output.line()
        output.paragraph(f"{queries(entry.total)}: {entry.key.test}{parameters}{scope}", indent="  ", first="")
        groups = [QueryGroup(texts.get(shape, f"shape {shape}"), "", n) for shape, n in _worst(entry)]
        for line in render_queries(groups[:_SHOWN_SHAPES], width=output.width - 2).split("\n"):
            output.line(f"  {line}")
        if len(groups) > _SHOWN_SHAPES:
            output.line(f"  and {counted(len(groups) - _SHOWN_SHAPES, 'other shape')}")
    if len(shown) > SHOWN_TESTS:
        output.line()
        output.paragraph(f"{counted(len(shown) - SHOWN_TESTS, 'entry', 'entries')} more: --format json lists all")


def _print_plans(plans: Plans, output: Output) -> None:
    from pytest_dbguard.reports.fitting import fit_query
    from pytest_dbguard.reports.wording import counted

    if not plans.entries:
        return
    texts = dict(plans.texts)
    output.line()
    output.line(output.style.paint(f"Plans of {counted(len(plans.keys), 'statement')}", "bold"))
    for dialect, basis in plans.made_with.items():
        output.paragraph(f"{dialect} {basis.label}", indent="    ", first="  ")
    shown = _dearest_first(plans)
    for entry in shown[:SHOWN_PLANS]:
        output.line()
        text = texts.get(entry.key.shape, f"shape {entry.key.shape}")
        output.line(f"  {fit_query(text, output.width - 2)}")
        output.line(f"    {_plan_head(entry)}")
        for line in entry.plan:
            output.line(f"      {line}"[: output.width])
    if len(shown) > SHOWN_PLANS:
        output.line()
        output.paragraph(f"{counted(len(shown) - SHOWN_PLANS, 'plan')} more: --format json lists all")


def _plan_head(entry: PlanEntry) -> str:
    rows = max((rows for _, rows in entry.tables), default=0)
    cost = f"cost {entry.cost:,.2f}, " if entry.cost is not None else ""
    return f"{cost}planned at {rows:,} rows"
