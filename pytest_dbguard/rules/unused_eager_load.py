"""DBG107: a query loads a relationship along that nobody reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.eager_use import EagerUse, eager_uses

MAPPED_FIX = "let the mapping load it lazily, and ask for it in the queries that need it"
"""What to do about a load that the mapping asks for: it is one cause for all queries."""


class UnusedEagerLoad:
    """unused-eager-load (DBG107).

    ## What it does
    Finds relationships that a query loads along (`selectinload`, `joinedload`, `contains_eager`, or `lazy="joined"` and
    the like of the mapping) and that nobody reads on the instances it returned. What one test does not read another
    one may: in a run of the whole suite the finding is a warning where no test read it, and a note where one did;
    in a run of some tests it is a note.

    ## Why is this bad?
    The rows are fetched, sent and made into objects for nothing, and with `joinedload` they multiply the rows of the
    query.

    ## Example
    ```python
    for order in session.scalars(select(Order).options(selectinload(Order.items))):
        print(order.id)
    ```

    ## Use instead
    ```python
    for order in session.scalars(select(Order)):
        print(order.id)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Reads are noticed where they go through the attribute, and where an instance is pickled. What reads
    `instance.__dict__` (some serialisers) or `inspect(instance)` is not seen: say so with an ignore comment. What is
    loaded in fixtures is left out.
    """

    code: ClassVar[str] = "DBG107"
    name: ClassVar[str] = "unused-eager-load"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each relationship and query that this scope shows no use of."""
        if recording.prepares:
            return
        uses = tuple(eager_uses(recording))
        used = {(use.subject, use.site) for use in uses if use.is_read}
        told: set[object] = set()
        for use in uses:
            key = (use.subject, use.site)
            if not use.is_read and use.site is not None and key not in used and key not in told:
                told.add(key)
                yield self._draft(use, recording)

    def _draft(self, use: EagerUse, recording: Recording) -> Draft:
        parent = use.load.relationship.parent.class_.__name__
        frames = use.origin.stack.frames if use.origin.stack is not None else ()
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=Severity.NOTE,
            subject=use.subject,
            message=f"`{use.subject}` is loaded with every `{parent}` and never read",
            site=use.site,
            in_test_code=bool(frames) and all(frame.in_test_code for frame in frames),
            fix=_fix(use),
            shape=use.origin.statement.shape if use.origin.statement is not None else None,
        )
        return Draft(finding, about=recording.numbers_of(use.origin))


def _fix(use: EagerUse) -> Fix:
    relationship = use.load.relationship
    if use.load.is_mapped:
        mapping = f'{relationship.key} = relationship(..., lazy="select")'
        query = f"# or in this query: .options(lazyload({use.subject}))"
        return Fix(MAPPED_FIX, f"{mapping}\n{query}", use.site)
    option = "contains_eager" if use.load.strategy == "contains" else f"{use.load.strategy}load"
    return Fix(f"leave `{option}({use.subject})` out of the query", place=use.site)
