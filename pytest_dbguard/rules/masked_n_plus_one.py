"""DBG108: all rows of the test data share one target, so one lazy load serves them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from sqlalchemy.orm.interfaces import MANYTOONE

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.recording.calls import CallKind, LoadCall, OriginOption
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.loader_options import LoadPath, load_path
from pytest_dbguard.rules.unique_lookup import pins


class MaskedNPlusOne:
    """masked-n-plus-one (DBG108).

    ## What it does
    Finds a many-to-one relationship that is read on several instances of one query and was loaded lazily once only,
    because all of them have the same target in the test's data: the others found it in the identity map. With other
    data it is an n-plus-one. Silent where the query itself asks for one target (`WHERE order.customer_id = ...`).

    ## Why is this bad?
    It is the defect of n-plus-one, hidden by test data in which all orders are of one customer.

    ## Example
    ```python
    def main():
        customer = Customer(name="Ada")
        session.add_all([Order(customer=customer) for _ in range(3)])
        session.commit()
        session.expunge_all()
        for order in session.scalars(select(Order).where(Order.id > 8)):
            print(order.customer.name)
    ```

    ## Use instead
    ```python
    for order in session.scalars(select(Order).options(joinedload(Order.customer))):
        print(order.customer.name)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Where production has few targets as well (kinds, countries), the identity map serves it there, too: ignore it.
    """

    code: ClassVar[str] = "DBG108"
    name: ClassVar[str] = "masked-n-plus-one"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield a draft for each relationship and query whose instances share one target."""
        if recording.prepares:
            return
        told = {recording.statements[number].stack.key for number in context.claimed}
        for statement, call, path in _single_loads(recording, context.claimed):
            origin = call.origin
            if statement.stack.key in told:
                # the same place shows it as an n-plus-one in another round
                continue
            if origin is None or origin.stack is None or pins(origin, path.last.local_columns):
                continue
            parents = {call.parent} | (origin.reads or {}).get(path.last, set())
            if len(parents) > 1:
                yield self._draft(statement, origin, path)

    def _draft(self, statement: Statement, origin: OriginOption, path: LoadPath) -> Draft:
        parent = path.last.parent.class_.__name__
        place = origin.stack.site if origin.stack is not None else None
        frames = statement.stack.frames
        finding = Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=path.subject,
            message=f"`{path.subject}` would be loaded once for each `{parent}`: here they all share one",
            site=statement.stack.site,
            origin=place,
            in_test_code=(not frames or frames[0].in_test_code) and (place is None or place.in_test_code),
            fix=Fix(
                f"load `{path.subject}` with the query that loads the parents",
                f"select({path.root}).options({path.options})",
                place,
            ),
            shape=statement.text.shape,
        )
        return Draft(finding, frozenset({statement.number}))


def _single_loads(recording: Recording, claimed: frozenset[int]) -> Iterator[tuple[Statement, LoadCall, LoadPath]]:
    """Yield the lazy many-to-one loads that are the only one of their relationship and origin."""
    loads: list[tuple[Statement, LoadCall, LoadPath, Any]] = []
    for statement in recording.statements:
        call = statement.call
        if type(call) is not LoadCall or call.kind is not CallKind.LAZY or call.is_guess or statement.in_flush:
            continue
        path = load_path(call.path)
        if path is not None and not statement.stack.marks & Mark.REFRESH:
            loads.append((statement, call, path, (id(call.origin), path.last)))
    times = Counter(key for *_, key in loads)
    for statement, call, path, key in loads:
        is_to_one = path.last.direction is MANYTOONE and not path.is_recursive
        if times[key] == 1 and is_to_one and statement.number not in claimed:
            yield statement, call, path
