"""Measures how fast statements are judged: the whole way, and each part of it by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from lint_shapes import different_shapes
from sqlglot import parse_one

from pytest_dbguard.analysis.judge import ActiveRule, active_rules
from pytest_dbguard.analysis.plans import judges_plans
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.statements import Reader
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.facts.statement import parsed
from pytest_dbguard.sql.lint.statement import marks_of
from pytest_dbguard.sql.shape import read_statement
from tests.planning.corpus.corpus import catalog

HEAD = ("part", "s", "µs a shape", "shapes/s")
Row = tuple[str, str, str, str]


def speed(number: int) -> Iterable[tuple[str, tuple[Row, ...]]]:
    """Yield a title and rows: without a schema as files are judged, and with one."""
    shop = catalog("shop", Dialect.POSTGRESQL)
    statements = different_shapes(shop, number)
    # imports and tables of grammars are not what is measured
    _whole(statements[:50], shop)
    yield f"{len(statements):,} different shapes, each part by itself", _parts(statements, shop)
    whole = [
        _row(title, len(statements), *_timed(lambda made=made: _whole(statements, made)))
        for title, made in (("without a schema", Catalog(Dialect.POSTGRESQL)), ("with a schema", shop))
    ]
    yield "the whole way, rules included", tuple(whole)


def _parts(statements: tuple[WorkloadStatement, ...], made: Catalog) -> tuple[Row, ...]:
    number = len(statements)
    columns = Reader(made, Statistics())._columns
    exemplars = [each.exemplar for each in statements]
    shapes_s, _ = _timed(lambda: [read_statement(each.text) for each in exemplars])
    texts_s, texts = _timed(
        lambda: [
            explainables(e.text, e.style, e.values, dialect="postgresql", constants=lambda _: False)[0].sql
            for e in exemplars
        ]
    )
    parse_s, _ = _timed(lambda: [parse_one(text, dialect="postgres") for text in texts])
    facts_s, read = _timed(lambda: [parsed(text, dialect="postgresql", columns=columns) for text in texts])
    marks_s, _ = _timed(lambda: [marks_of(each, text) for each, text in zip(read, texts, strict=True)])
    assessment = _assessed(statements, made)
    rules_s, _ = _timed(lambda: _judge(assessment))
    parts = {
        "shape": shapes_s,
        "text to explain": texts_s,
        "parse (sqlglot)": parse_s,
        "facts, without the parse": facts_s - parse_s,
        "marks": marks_s,
        "rules": rules_s,
    }
    return tuple(_row(title, number, elapsed_s, None) for title, elapsed_s in parts.items())


def _row(title: str, number: int, elapsed_s: float, _: object) -> Row:
    return title, f"{elapsed_s:.2f}", f"{elapsed_s / number * 1e6:.0f}", f"{number / elapsed_s:,.0f}"


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds that work takes, and its result: the machine may have other things to do."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _whole(statements: tuple[WorkloadStatement, ...], made: Catalog) -> int:
    return _judge(_assessed(statements, made))


def _assessed(statements: tuple[WorkloadStatement, ...], made: Catalog) -> Assessment:
    sizes = completed(Statistics(), made)
    return assess(Workload("bench", statements), made, sizes, None, no_lab="-", deadline_s=600, most=len(statements))


def _judge(assessment: Assessment) -> int:
    return sum(len(list(each.rule.judge(assessment))) for each in _rules())  # type: ignore[attr-defined]


def _rules() -> tuple[ActiveRule, ...]:
    found = active_rules(select=(), ignore=(), preview=False, tables={}, slow_ms=None, place="")
    return tuple(each for each in found if judges_plans(each.rule))
