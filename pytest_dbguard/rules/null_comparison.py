"""DBG409: something is compared with NULL, which is never true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Exemplar
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import at_each_place
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, is_compiled
from pytest_dbguard.sql.facts.model import Scan
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.roles import placeholder_roles


class NullComparison(LintRule):
    """null-comparison (DBG409).

    ## What it does
    Finds comparisons with NULL: `= NULL`, `<> NULL`, a NULL in the list of IN, `CASE x WHEN NULL`. Also parameters of
    hand-written SQL behind `=` that were NULL in every execution of the run.

    ## Why is this bad?
    A comparison with NULL is neither true nor false, whatever the row holds: the condition lets no row pass, not even
    one that holds NULL.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        lent_to: Mapped[int | None] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.execute(text("SELECT id FROM book WHERE lent_to = NULL")).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        lent_to: Mapped[int | None] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.execute(text("SELECT id FROM book WHERE lent_to IS NULL")).all()
    ```

    ## Options
    - `severity` (default "error").

    ## Limits
    `SET column = NULL` gives a value and is no comparison. A NULL in the list of NOT IN is a matter of not-in-subquery
    (DBG405). PostgreSQL's `transform_null_equals`, which makes IS NULL of `= NULL`, is not asked for.
    """

    code: ClassVar[str] = "DBG409"
    name: ClassVar[str] = "null-comparison"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.NULL_COMPARISON

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each comparison with NULL, and for parameters that were never anything else."""
        yield from super().judge(assessment)
        for statement in assessment.statements:
            exemplar = statement.statement.exemplar
            # of several places nobody can tell which one sent it
            if exemplar is not None and len(statement.statement.uses) == 1 and not is_compiled(statement):
                for scan, column in _always_null(statement, exemplar):
                    yield from at_each_place(self._of_parameter(statement, scan, column), statement)

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a comparison with NULL that is written out."""
        if mark.detail == "member":
            message = f"the NULL in the list that `{mark.subject}` is looked up in is never found"
        else:
            message = f"`{mark.expression}` is never true, also where `{mark.subject}` is NULL"
        code = _sqlalchemy(mark)
        return self.finding(
            mark,
            message,
            severity=Severity.WARNING if mark.detail == "member" else None,
            fix=fix_for(statement, "ask for NULL with IS", sqlalchemy=code, sql=mark.rewrite),
            remedies=both(code, mark.rewrite),
        )

    def _of_parameter(self, statement: AssessedStatement, scan: Scan, column: str) -> Finding:
        subject = f"{scan.table}.{column}"
        return Finding(
            rule=self.code,
            name=self.name,
            severity=Severity.WARNING,
            subject=subject,
            message=f"what `{subject}` is compared with by `=` was NULL in all executions, which is never true",
            certainty=Certainty.LIKELY,
            fix=Fix("ask for NULL with IS where the value is None", f"{column} IS NULL"),
        )


def _sqlalchemy(mark: LintMark) -> str:
    """Return the condition as it is written with SQLAlchemy; "" where the column is not known."""
    if not mark.columns or not mark.rewrite or mark.detail == "member":
        return ""
    method = "is_not" if mark.rewrite.endswith("IS NOT NULL") else "is_"
    return f".where({mark.table}.c.{mark.columns[0]}.{method}(None))"


def _always_null(statement: AssessedStatement, exemplar: Exemplar) -> Iterator[tuple[Scan, str]]:
    """Yield the columns that were compared with NULL in every execution, by `=` and nothing else."""
    positions = [position for position, values in exemplar.values.items() if values == (None,)]
    if not positions:
        return
    roles = placeholder_roles(exemplar.text, exemplar.style)
    columns = {roles[at].column for at in positions if at < len(roles) and roles[at].role == "equal"}
    # the same parameter may be asked for elsewhere: :city IS NULL OR city = :city
    keys = {roles[at].key for at in positions if at < len(roles)}
    if any(role.key in keys for at, role in enumerate(roles) if at not in positions):
        return
    for scan in statement.facts.scans:
        for term in scan.terms:
            if term.column in columns and term.operator == "=" and term.operand == "parameter":
                yield scan, term.column
