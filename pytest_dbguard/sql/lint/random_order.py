"""Marks queries that sort the rows of a table by chance, all of them, to return some."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.narrowing import compared, is_narrowed, is_system
from pytest_dbguard.sql.lint.queries import limit_of, meant
from pytest_dbguard.sql.lint.text import LintedText

_RANDOM = frozenset({"random", "rand", "newid", "gen_random_uuid", "uuid_generate_v4", "uuidv4", "random_normal"})


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each query of tables whose ORDER BY calls a random function.

    `expression` is the key, `columns` what is compared with one value; `detail` is "limited" where not all come back.
    """
    for select in text.selects:
        order, scans = arg(select, "order"), text.scans(select)
        random = [key for key in order.expressions if _is_random(meant(key.this, select))] if order is not None else []
        if (
            not random
            or not scans
            or is_system(scans[0])
            or is_narrowed(text, select, scans[0])
            or select.find(exp.TableSample) is not None
        ):
            continue
        yield LintMark(
            MarkKind.RANDOM_ORDER,
            subject=scans[0].table,
            table=scans[0].table,
            schema=scans[0].schema,
            columns=compared(text, scans[0]),
            query=scans[0].query,
            alias=scans[0].alias,
            expression=text.spelled(random[0].this),
            position=text.position(random[0]),
            detail="limited" if limit_of(select) is not None else "",
        )


def _is_random(key: exp.Expr) -> bool:
    """Whether another value comes out for each row: not that of a query in parentheses, which runs once."""
    pending = [key]
    while pending:
        node = pending.pop()
        if isinstance(node, exp.Rand | exp.Uuid) or (isinstance(node, exp.Anonymous) and node.name.lower() in _RANDOM):
            return True
        if not isinstance(node, exp.Query):
            pending += node.iter_expressions()
    return False
