"""DBG404: rows are counted where the question is whether there are any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import at_each_place
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, is_single, marks, scan_of, told_rows
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

FEW_ROWS = 1_000
"""Rows of a table that are counted in no time."""
_TESTS = frozenset({"truth", "zero"})


class CountForExistence(LintRule):
    """count-for-existence (DBG404).

    ## What it does
    Finds counts that are only tested or compared with nothing: `if session.scalar(select(func.count())...) > 0`,
    `query.count() == 0`, and in SQL `(SELECT count(*) ...) > 0`.

    ## Why is this bad?
    To count, the database finds every row. To know that there is one it may stop at the first.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        genre: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    if session.scalar(select(func.count()).select_from(Book).where(Book.genre == "travel")) > 0:
        print("there are travel books")
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        genre: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    if session.scalar(select(exists().where(Book.genre == "travel"))):
        print("there are travel books")
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    What becomes of a number is read from the function that asks for it: one that is returned, or also shown, is no
    matter. Silent for tables of at most 1,000 rows, where somebody told so, for lookups by a unique key, and for what
    tests assert. Rows that are fetched to be counted are a matter of over-fetch (DBG111).
    """

    code: ClassVar[str] = "DBG404"
    name: ClassVar[str] = "count-for-existence"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.COUNT_COMPARISON

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each count at each place that only asks whether there are any."""
        for statement, mark in marks(assessment, self.kind):
            draft = self.draft(assessment, statement, mark)
            uses = statement.statement.uses
            if mark.detail == "result":
                uses = tuple(use for use in uses if self.concerns(use))
            if draft is not None and uses:
                yield from at_each_place(draft, replace(statement, statement=replace(statement.statement, uses=uses)))

    def concerns(self, use: Use) -> bool:
        """Whether the number is only tested where it arrives; that tests do so to prove what they ran is no matter."""
        return use.call is not None and use.call.used_as in _TESTS and not use.in_test_code

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a count."""
        scan = scan_of(statement, mark)
        rows = told_rows(assessment, mark.table, mark.schema) if mark.table else None
        if scan is not None and is_single(assessment, scan) and len(statement.facts.scans) == 1:
            return None
        if rows is not None and rows <= FEW_ROWS:
            return None
        counted = f"rows of `{mark.subject}`" if mark.subject else "rows"
        asks_for_none = mark.rewrite.startswith("NOT")
        what = "whether there are none" if asks_for_none else "whether there are any"
        question = ".where(~exists().where(...))" if asks_for_none else ".where(exists().where(...))"
        code = "session.scalar(select(exists().where(...)))" if mark.detail == "result" else question
        return self.finding(
            mark,
            f"{counted} are counted, only to see {what}: the database reads them all, where the first would do",
            fix=fix_for(statement, "ask whether there is one", sqlalchemy=code, sql=mark.rewrite),
            remedies=both(code, mark.rewrite),
        )
