"""Judges the labelled statements that are written by hand with other linters of SQL, as far as they have the rules."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.explainable import explainables
from tests.rules.lint_corpus.labels import WRITTEN, Label

HEAD = ("linter", "rule", "as", "right", "wrong", "missing", "ms a statement")
SAME = {"AM04": "DBG401", "AM09": "DBG408", "CV05": "DBG409"}
"""Their rules that ask the same question as one of ours."""


@dataclass(frozen=True)
class Rival:
    """One linter: its program, and the arguments that make it write JSON."""

    name: str
    program: Path
    arguments: tuple[str, ...]


def rivals(directory: Path) -> tuple[Rival, ...]:
    """Return those that are installed in an environment."""
    rules = ",".join(SAME)
    known = (
        Rival("sqlfluff", directory / "bin" / "sqlfluff", ("lint", "--rules", rules, "--format", "json", "--dialect")),
        Rival("sqruff", directory / "bin" / "sqruff", ("lint", "--format", "json", "--dialect")),
    )
    return tuple(each for each in known if each.program.exists())


def compared(rival: Rival, found: Iterable[Label]) -> list[tuple[str, ...]]:
    """Return a row for each of its rules."""
    written = [label for label in found if label.written_by == WRITTEN]
    start = time.perf_counter()
    said = _said(rival, written)
    each_ms = (time.perf_counter() - start) * 1000 / len(written)
    rows = []
    for code, ours in SAME.items():
        wanted = {label for label in written if any(ours in alternatives for alternatives in label.expect)}
        told = {label for label in written if code in said.get(label, ())}
        right, wrong, missing = len(told & wanted), len(told - wanted), len(wanted - told)
        rows.append((rival.name, ours, code, str(right), str(wrong), str(missing), f"{each_ms:.1f}"))
    return rows


def _said(rival: Rival, found: list[Label]) -> dict[Label, set[str]]:
    said: dict[Label, set[str]] = {}
    for dialect, name in ((Dialect.POSTGRESQL, "postgres"), (Dialect.SQLITE, "sqlite")):
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            (place / ".sqruff").write_text(f"[sqruff]\nrules = {','.join(SAME)}\n")
            files = {}
            for number, label in enumerate(label for label in found if label.dialect is dialect):
                files[f"{number:04}.sql"] = label
                (place / f"{number:04}.sql").write_text(_text(label) + ";\n")
            command = [str(rival.program), *rival.arguments, name, str(place)]
            result = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
            for file, code in _violations(result.stdout):
                said.setdefault(files[Path(file).name], set()).add(code)
    return said


def _violations(output: str) -> Iterable[tuple[str, str]]:
    """Yield (file, code) of sqlfluff's list of files, or of sqruff's mapping of files."""
    start = min((at for at in (output.find("["), output.find("{")) if at >= 0), default=-1)
    document = json.loads(output[start:]) if start >= 0 else []
    if isinstance(document, dict):
        document = [{"filepath": file, "violations": violations} for file, violations in document.items()]
    for each in document:
        for violation in each["violations"]:
            yield each["filepath"], str(violation.get("code") or violation.get("rule") or "")


def _text(label: Label) -> str:
    """Return the statement with a number for each parameter: what stands there is not what they judge."""
    given = label.exemplar
    texts = explainables(given.text, given.style, given.values, dialect=label.dialect.value, constants=lambda _: False)
    return re.sub(r"\$\d+|\?", "1", texts[0].sql)
