"""DBG106: a lazy load stands in a loop over a query's rows, and one row of test data hides that it repeats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy.orm.interfaces import MANYTOONE

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.consumption import takes_one
from pytest_dbguard.recording.frames import Frame, Mark
from pytest_dbguard.recording.loops import Loop, LoopFinder
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.hidden_loads import hidden_loads
from pytest_dbguard.rules.loader_options import LoadPath
from pytest_dbguard.rules.unique_lookup import is_unique_lookup, pins


class LatentNPlusOne:
    """latent-n-plus-one (DBG106).

    ## What it does
    Finds a relationship that was loaded lazily for the only parent that a query returned, in a loop over that query's
    rows: with a second row it would be an n-plus-one. Silent where the query can return one row only: `session.get`,
    `one()`, `first()`, `scalar_one()`, `LIMIT 1`, a lookup by a unique column.

    ## Why is this bad?
    It is the defect of n-plus-one, hidden by one row of test data.

    ## Example
    ```python
    for category in session.scalars(select(Category).where(Category.parent_id.is_(None))):
        print(len(category.children))
    ```

    ## Use instead
    ```python
    stmt = select(Category).where(Category.parent_id.is_(None)).options(selectinload(Category.children))
    for category in session.scalars(stmt):
        print(len(category.children))
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Only loads that stand in a loop are reported; a second row in the test data shows the others as n-plus-one.
    """

    code: ClassVar[str] = "DBG106"
    name: ClassVar[str] = "latent-n-plus-one"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each single lazy load that a second row would repeat."""
        for load in hidden_loads(recording, context.claimed):
            path, origin = load.path, load.origin
            if not _may_have_many(path, origin, context.loops):
                continue
            if path.last.direction is MANYTOONE and pins(origin, path.last.local_columns):
                # all rows share the one that is loaded
                continue
            owner = _row_loop(load.statement, origin, context.loops)
            if owner is not None:
                frame, loop = owner
                yield load.draft(self, "the test's data has one only", loop=loop.site, by_test=frame.in_test_code)


def _may_have_many(path: LoadPath, origin: OriginOption, loops: LoopFinder) -> bool:
    """Whether there could be more parents than the one: rows of the query, or members of a collection of its row."""
    return path.properties[-2].uselist is True if len(path.properties) > 1 else _may_return_many(origin, loops)


def _may_return_many(origin: OriginOption, loops: LoopFinder) -> bool:
    stack, text = origin.stack, origin.statement
    if stack is None or text is None or stack.marks & Mark.GET or text.has_limit or not stack.frames:
        return False
    return not is_unique_lookup(origin) and not takes_one(stack.frames[0], loops)


def _row_loop(statement: Statement, origin: OriginOption, loops: LoopFinder) -> tuple[Frame, Loop] | None:
    """Return the loop around the load that does not run the query itself in each round."""
    around_query = {
        (loop.site.file, loop.site.line)
        for frame in (origin.stack.frames if origin.stack is not None else ())
        for loop in loops.loops(frame)
    }
    for frame in statement.stack.frames:
        for loop in loops.loops(frame):
            if loop.owns and (loop.site.file, loop.site.line) not in around_query:
                return frame, loop
    return None
