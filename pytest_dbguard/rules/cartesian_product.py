"""DBG301: a statement reads two tables that no condition connects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.sql.shape import StatementText

_MAX_KNOWN = 10_000
_JOIN = re.compile(r"\bJOIN\b", re.IGNORECASE)
_END_OF_ON = re.compile(r"\b(?:WHERE|GROUP BY|ORDER BY|HAVING|UNION|LIMIT|SELECT)\b", re.IGNORECASE)
_QUALIFIER = re.compile(r'(\w+|"[^"]+"|`[^`]+`)\.(?=[\w"`])')


class CartesianProduct:
    """cartesian-product (DBG301).

    ## What it does
    Finds queries, also those inside of others, whose tables no condition connects, so that each row of one comes with
    each row of the other. Conditions in WHERE, ON and USING connect the tables that they name.

    ## Why is this bad?
    Ten rows and ten rows make a hundred, and nobody notices; ten thousand and ten thousand make a hundred million.
    Almost always a condition was forgotten, or a column of another table than the one that was joined is selected.

    ## Example
    ```python
    session.execute(select(Customer.name, Order.id)).all()
    ```

    ## Use instead
    ```python
    session.execute(select(Customer.name, Order.id).join(Customer.orders)).all()
    ```

    ## Options
    - `severity` (default "error").

    ## Limits
    Silent where the product is meant or harmless: CROSS JOIN, `ON true`, LATERAL, functions, VALUES, subqueries that
    yield one row or have a LIMIT, a table of which a condition names one row by its `id`; and where a text that is not
    SQLAlchemy's names columns without their table. The subject is the table that stands most alone: the first of the
    smallest group, the first in FROM among equals.
    """

    code: ClassVar[str] = "DBG301"
    name: ClassVar[str] = "cartesian-product"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options
        self._known: dict[str, tuple[tuple[str, ...], ...]] = {}

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each shape and place."""
        found: dict[object, list[Statement]] = {}
        for statement in recording.statements:
            if self._groups(statement.text) and statement.stack.frames and not statement.in_flush:
                found.setdefault((statement.text.shape.id, statement.stack.site), []).append(statement)
        for statements in found.values():
            yield Draft(self._finding(statements), frozenset(s.number for s in statements))

    def _groups(self, text: StatementText) -> tuple[tuple[str, ...], ...]:
        """Return the tables by groups that nothing connects; found once a shape."""
        key = text.shape.id
        if key not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = _unconnected(text.shape.text) if _may_multiply(text) else ()
        return self._known[key]

    def of_text(self, text: StatementText) -> Finding | None:
        """Return the finding about a statement in a source, without its place; None where it is innocent."""
        groups = self._groups(text)
        if not groups:
            return None
        alone, *others = (group[0] for group in groups)
        rest = " and ".join(f"`{other}`" for other in others)
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=alone,
            message=f"no condition connects `{alone}` with {rest}: each row of one comes with each row of the other",
            fix=Fix("connect them by .join(...) or .where(...); where all pairs are meant, by .join(..., true())"),
            shape=text.shape,
        )

    def _finding(self, statements: list[Statement]) -> Finding:
        text, stack = statements[0].text, statements[0].stack
        finding = self.of_text(text)
        assert finding is not None
        is_test = all(frame.in_test_code for frame in stack.frames)
        return replace(finding, site=stack.site, count=len(statements), in_test_code=is_test)


def _unconnected(text: str) -> tuple[tuple[str, ...], ...]:
    # the parser is only paid for by who needs it
    from pytest_dbguard.sql.products import unconnected

    return unconnected(text)


def _may_multiply(text: StatementText) -> bool:
    """Whether it is worth parsing: it has a list after FROM, or a JOIN whose ON does not name two sides."""
    if text.verb == "CREATE":
        return False
    pieces = _JOIN.split(text.shape.text)[1:]
    return text.has_from_list or any(len(set(_QUALIFIER.findall(_condition(piece)))) < 2 for piece in pieces)


def _condition(piece: str) -> str:
    """Return what follows ON in the text after a JOIN; "" without it."""
    _, _, condition = piece.partition(" ON ")
    return _END_OF_ON.split(condition)[0]
