"""DBG108: all rows of the test data share one target, so one lazy load serves them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy.orm.interfaces import MANYTOONE

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage
from pytest_dbguard.rules.hidden_loads import hidden_loads
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
        for load in hidden_loads(recording, context.claimed):
            relationship = load.path.last
            if relationship.direction is not MANYTOONE or load.path.is_recursive:
                continue
            parents = {load.call.parent} | (load.origin.reads or {}).get(relationship, set())
            if len(parents) > 1 and not pins(load.origin, relationship.local_columns):
                frames = load.statement.stack.frames
                by_test = not frames or frames[0].in_test_code
                yield load.draft(self, "here they all share one", by_test=by_test)
