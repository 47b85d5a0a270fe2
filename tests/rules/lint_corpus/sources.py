"""Judges the labelled Python sources: each is a module of a project, which is linted as a whole."""

from __future__ import annotations

from pathlib import Path

from pytest_dbguard.analysis.judge import active_rules
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.linting.lint_run import LintRequest, run_lint
from pytest_dbguard.linting.reading import source_file
from pytest_dbguard.recording.ownership import Ownership
from tests.planning.corpus.verdicts import Score
from tests.rules.lint_corpus.labels import document

RULE = "DBG701"


def score_of_sources(root: Path) -> Score:
    """Return the score of interpolated-sql on the labelled sources, which are written to a directory."""
    cases = {f"case_{number:02}.py": case for number, case in enumerate(document("python")["case"])}
    for name, case in cases.items():
        (root / name).write_text(case["source"])
    request = LintRequest(
        root,
        active_rules(select=(RULE,)),
        PlanSources(root, None, {}, "off"),
        Ownership(root),
        tuple(source_file(root / name, root) for name in cases),
    )
    verdict = run_lint(request).verdict
    assert not verdict.faults
    found = {finding.site.file for finding in verdict.findings}
    score = Score()
    for name, case in cases.items():
        is_wanted = RULE in case.get("expect", ())
        if name in found and is_wanted:
            score.right += 1
        elif name in found:
            score.wrong.append(case["name"])
        elif is_wanted:
            score.missing.append(case["name"])
    return score
