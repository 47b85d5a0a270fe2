"""The labelled statements: each stable rule is right in 95 of 100 findings, and finds nine of ten facts."""

from __future__ import annotations

from collections import Counter

from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.registry import find_rule
from tests.rules.lint_corpus.labels import COMPILED, LINTED, WRITTEN, judged, labels, scores
from tests.rules.lint_corpus.sources import RULE, score_of_sources


def least_precision(code):
    return 0.95 if find_rule(code).stage is Stage.STABLE else 0.9


def test_precision_and_recall_of_statement_rules():
    # one test: the statements are judged once
    found = scores(judged(labels()))
    assert set(found) == set(LINTED)
    assert {code: score.wrong for code, score in found.items() if score.precision < least_precision(code)} == {}
    assert {code: score.missing for code, score in found.items() if score.recall < 0.9} == {}
    assert all(score.right + len(score.missing) >= 8 for score in found.values())


def test_precision_and_recall_of_interpolated_sql(tmp_path):
    score = score_of_sources(tmp_path)
    assert score.precision >= least_precision(RULE), score.wrong
    assert score.recall >= 0.9, score.missing
    assert score.right >= 8


def test_half_of_the_statements_are_innocent_in_every_style():
    found = tuple(labels())
    assert len({(label.schema, label.written_by, label.name) for label in found}) >= 220
    assert {label.schema for label in found} == {"shop", "desk"}
    kinds = Counter((label.style, bool(label.expect)) for label in found)
    styles = {label.style for label in found}
    assert styles == {f"{COMPILED}, postgresql", f"{COMPILED}, sqlite", WRITTEN}
    for style in styles:
        assert kinds[style, False] >= kinds[style, True] > 40
    spellings = Counter(label.exemplar.style for label in found if label.written_by == WRITTEN)
    assert min(spellings[style] for style in ("named", "qmark", "format", "pyformat", "numeric_dollar")) >= 5
