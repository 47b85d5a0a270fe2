"""DBG701: values are written into the text of a statement instead of being bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Exemplar, Use
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place

MIN_TEXTS = 5
_WITHOUT_PARAMETERS = frozenset({"ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "COMMENT"})


class InterpolatedSqlOptions(RuleOptions):
    """Options of interpolated-sql."""

    min_texts: int = MIN_TEXTS


class InterpolatedSql(IndexRule):
    """interpolated-sql (DBG701).

    ## What it does
    Finds statements into whose text values are put by f-strings, `%`, `format` or `+`, where a parameter should stand.

    ## Why is this bad?
    Whoever chooses such a value can write SQL of their own into the statement: SQL injection. Also each value makes
    another statement, which the database parses and plans anew.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(index=True)

    def find(title):
        return session.execute(text(f"SELECT id FROM book WHERE title = '{title}'")).all()

    Base.metadata.create_all(engine)
    find("Walden")
    find("Emma")
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(index=True)

    def find(title):
        return session.execute(text("SELECT id FROM book WHERE title = :title"), {"title": title}).all()

    Base.metadata.create_all(engine)
    find("Walden")
    [*map(find, ["Emma"])]
    ```

    ## Options
    - `min_texts` (default 5): so many different sets of literals in one statement are reported where the source of
      the place cannot be read.
    - `severity` (default "error").

    ## Limits
    In a run of tests a value counts where at least two were seen at a place whose source shows that it is put into the
    text. Names of tables and columns, which cannot be bound, constants of the module, and lists of placeholders are no
    values.
    """

    code: ClassVar[str] = "DBG701"
    name: ClassVar[str] = "interpolated-sql"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = InterpolatedSqlOptions

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each place that writes values into a statement."""
        for statement in assessment.statements:
            exemplar = statement.statement.exemplar
            sets = exemplar.literal_sets if exemplar is not None else 1
            for use in statement.statement.uses:
                draft = self._draft(statement, use, sets)
                if draft is not None:
                    of_place = replace(statement.statement, uses=(use,))
                    yield from at_each_place(draft, replace(statement, statement=of_place))

    def _draft(self, statement: AssessedStatement, use: Use, sets: int) -> Finding | None:
        source = use.call.interpolated if use.call is not None else ""
        # what no test ran was read from source, which shows what it is
        is_seen = sets >= 2 or not use.tests
        if source and is_seen:
            message = f"`{source}` is put into the text of the statement: whoever chooses it can write SQL"
            return self._finding(statement, message, self.severity, Certainty.CERTAIN)
        if use.call is None and use.tests and sets >= self._min_texts:
            message = f"at least {sets} texts of this statement differ in literals only: values are put into its text"
            return self._finding(statement, message, Severity.WARNING, Certainty.LIKELY)
        return None

    def _finding(self, statement: AssessedStatement, message: str, severity: Severity, certainty: Certainty) -> Finding:
        tables = statement.facts.tables
        return Finding(
            rule=self.code,
            name=self.name,
            severity=severity,
            subject=tables[0] if tables else statement.statement.verb.lower(),
            message=message,
            certainty=certainty,
            fix=_fix(statement.statement.exemplar),
        )

    @property
    def _min_texts(self) -> int:
        return self._options.min_texts if isinstance(self._options, InterpolatedSqlOptions) else MIN_TEXTS


def _fix(exemplar: Exemplar | None) -> Fix:
    """Return how a value gets into a statement: not all kinds take parameters."""
    verb, *rest = exemplar.text.upper().split(maxsplit=1) if exemplar is not None and exemplar.text.strip() else [""]
    # a variable of MySQL takes a value from anywhere
    if verb == "SET" and not "".join(rest).startswith("@"):
        return Fix("bind it as an argument of set_config", "SELECT set_config('...', :value, false)")
    if verb in _WITHOUT_PARAMETERS:
        return Fix(f"{verb} takes no parameters: check the value against those that are allowed, or quote it")
    return Fix("bind the value", 'session.execute(text("... = :value"), {"value": value})')
