"""DBG406: silent where an index finds what stands within a text, or the planner has decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assessments import ORDERS, assessment, plan, statement, unusable, verdict

from pytest_dbguard.planning.assessment import Obstacle
from pytest_dbguard.rules.leading_wildcard import LeadingWildcard, LeadingWildcardOptions
from pytest_dbguard.schema.catalog import Dialect, Index, IndexKey
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

MARK = LintMark(MarkKind.LEADING_WILDCARD, "orders.city", "orders", columns=("city",), alias="orders")
TRIGRAMS = Index("ix_trgm", (IndexKey("city", operator_class="gin_trgm_ops"),), method="gin")
WORDS = Index("ix_words", (IndexKey(None, "to_tsvector('simple', city)"),), method="gin")
HASHED = Index("ix_hash", (IndexKey("city"),), method="hash")


def judged(*, index=None, told=(), dialect=Dialect.POSTGRESQL, mark=MARK):
    table = replace(ORDERS, indexes=(*ORDERS.indexes, *([index] if index else [])))
    given = assessment(statement(marks=(mark,), unusable=told), tables=(table,), dialect=dialect)
    return list(LeadingWildcard(LeadingWildcardOptions()).judge(given))


def test_what_it_offers_postgresql():
    [finding] = judged()
    code = {remedy.kind: remedy.code for remedy in finding.remedies}
    assert code["sql"] == "CREATE INDEX CONCURRENTLY ix_orders_city_trgm ON orders USING gin (city gin_trgm_ops);"
    assert code["sqlalchemy"].startswith('Index("ix_orders_city_trgm", "city", postgresql_using="gin"')


def test_what_it_offers_others():
    [finding] = judged(dialect=Dialect.SQLITE)
    assert (finding.remedies, "FTS5" in finding.fix.title) == ((), True)


@pytest.mark.parametrize(("index", "count"), [(TRIGRAMS, 0), (WORDS, 0), (HASHED, 1)])
def test_indexes_that_serve(index, count):
    assert len(judged(index=index)) == count


@pytest.mark.parametrize(("helps", "obstacle", "count"), [(True, Obstacle.FUNCTION, 0), (False, Obstacle.FUNCTION, 1)])
def test_what_is_told_elsewhere(helps, obstacle, count):
    assert len(judged(told=((unusable(obstacle), verdict(plan(), helps=helps)),))) == count


def test_what_the_planner_does_not_mind():
    assert judged(told=((unusable(Obstacle.LEADING_WILDCARD), verdict(plan(), helps=False)),)) == []
