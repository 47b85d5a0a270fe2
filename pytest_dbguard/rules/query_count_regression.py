"""DBG902: a test runs more statements than the baseline says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar

from pydantic import Field

from pytest_dbguard.baseline.names import without_parameters
from pytest_dbguard.core.findings import Finding, Fix, Severity, Shape, Site
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions, Stage

SHOWN_SHAPES = 3

Number = Annotated[int, Field(strict=True, ge=0)]


class CountOptions(RuleOptions):
    """Options of query-count-regression."""

    tolerance: Number = 0
    tolerances: dict[str, Number] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShapeChange:
    """By how many statements of one shape a test runs more (or, below zero, fewer) than before, and where they run.

    Attributes:
        shape: The shape, with a text for people.
        more: The difference.
        places: The lines that run most of them now, most first.
    """

    shape: Shape
    more: int
    places: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Regression:
    """One test and scope that runs more than it may.

    Attributes:
        test: Node id of the test.
        scope: "call", or a web request such as "GET /orders/{}".
        before: Number of statements that the baseline says.
        now: Number of statements in this run.
        changes: What changed, most growth first.
    """

    test: str
    scope: str
    before: int
    now: int
    changes: Sequence[ShapeChange]


class QueryCountRegression:
    """query-count-regression (DBG902).

    ## What it does
    Reports tests that run more statements than the baseline says they do, in the test itself or in one of the web
    requests that it sends (`GET /orders/{}`; requests of one name are added up). The total of the scope is compared;
    the shapes that grew and the lines that run them are told. What one line makes several tests run is one finding.
    New tests, new requests and tests that did not run to their end are not judged. Setup, teardown and shared
    fixtures are not counted, since they belong to whichever test comes first, nor are hypothesis tests, which run as
    many examples as they like.

    ## Why is this bad?
    No single commit makes a page slow. Each adds a query or two that no test notices, and after a year the page runs
    hundreds. A count that is written down can only grow where somebody accepts it in review.

    ## Example
    ```python
    # in the baseline: session.scalars(select(Order)).all()
    for order in session.scalars(select(Order)).all():
        session.get(Customer, order.customer_id)
    ```

    ## Use instead
    ```python
    # in the baseline: session.scalars(select(Order)).all()
    for order in session.scalars(select(Order).options(joinedload(Order.customer))).all():
        session.get(Customer, order.customer_id)
    ```

    ## Options
    - `severity` (default "error").
    - `tolerance` (default 0): this many statements more than the baseline says are accepted.
    - `tolerances`: the same for some tests, by patterns of node ids or paths, such as `{"tests/slow/*" = 5}`; the
      most specific pattern wins. `@pytest.mark.dbguard(query_tolerance=5)` wins over all patterns.

    ## Limits
    Where the application keeps results between tests (a cache, settings read once), the first test that needs them
    runs more statements than the others, and which one that is depends on the order, the selection and the workers:
    clear the cache between tests, or give the tests a tolerance. So may instances that a test flushes and does not
    hold: whether they are loaded again depends on when they are collected. Different databases may need different
    numbers of statements for one thing: give each a baseline of its own with `--dbguard-baseline`.
    """

    code: ClassVar[str] = "DBG902"
    name: ClassVar[str] = "query-count-regression"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE
    options_model: ClassVar[type[CountOptions]] = CountOptions
    is_gate: ClassVar[bool] = True

    def __init__(self, options: RuleOptions) -> None:
        self._options = options if isinstance(options, CountOptions) else CountOptions()

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: the run as a whole is judged, against the baseline."""
        return ()

    def tolerance(self, test: str) -> int:
        """Return how many statements more than the baseline says a test may run."""
        names = (test, without_parameters(test), test.partition("::")[0])
        matching = [
            (_specificity(pattern), allowed)
            for pattern, allowed in self._options.tolerances.items()
            if any(name == pattern or fnmatchcase(name, pattern) for name in names)
        ]
        return max(matching)[1] if matching else self._options.tolerance

    def finding(self, regression: Regression) -> Finding:
        """Return the finding for a test that runs more than it may."""
        grown = [change for change in regression.changes if change.more > 0]
        name = without_parameters(regression.test)
        short = name.rpartition("::")[2] or name
        where = short if regression.scope == "call" else f"{regression.scope} of {short}"
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=name,
            message=f"{regression.before} -> {regression.now} queries in {where}",
            site=_site(grown),
            count=regression.now - regression.before,
            tests=(regression.test,),
            fix=Fix("run as few statements as before, or accept the new number with --dbguard-update-baseline"),
            shape=grown[0].shape if grown else None,
            evidence=tuple(_evidence(regression.changes, grown)),
            scope=regression.scope,
        )


def _specificity(pattern: str) -> tuple[int, str]:
    """Return how much of a name a pattern says: letters count, wildcards do not."""
    return (sum(letter not in "*?" for letter in pattern), pattern)


def _site(grown: Iterable[ShapeChange]) -> Site | None:
    """Return the application's line that grew most; None where only test code runs more."""
    return next((place for change in grown for place in change.places if not place.in_test_code), None)


def _evidence(changes: Iterable[ShapeChange], grown: Sequence[ShapeChange]) -> Iterable[str]:
    for change in grown[:SHOWN_SHAPES]:
        places = ", ".join(dict.fromkeys(f"{place.label} in {place.function}" for place in change.places))
        said = [f"+{change.more}", *([places] if places else [])]
        yield " ".join(said) + (f": {change.shape.text}" if len(grown) > 1 or not places else "")
    if others := grown[SHOWN_SHAPES:]:
        yield f"+{sum(change.more for change in others)} of {_shapes(len(others))}"
    if fallen := [change for change in changes if change.more < 0]:
        yield f"{sum(change.more for change in fallen)} of {_shapes(len(fallen))} that ran more often before"


def _shapes(number: int) -> str:
    return "1 other shape" if number == 1 else f"{number} other shapes"
