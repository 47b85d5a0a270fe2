"""Advice as text: what to make and to drop, what that changes, and the code for it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.planning.advice.model import Advice, AdvisedIndex, Ending, StatementCost
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.candidates.spelling import name_of
from pytest_dbguard.reports.advice_code import sql_statements, sqlalchemy_lines
from pytest_dbguard.reports.fitting import cut, fit_query, pad, wrap
from pytest_dbguard.reports.python_code import fit_code
from pytest_dbguard.reports.style import Style
from pytest_dbguard.reports.wording import counted, duration, number
from pytest_dbguard.schema.catalog import Catalog

MOST_STATEMENTS = 10
"""Statements that are shown unless all are asked for."""

_FIGURES = 28


def advice_lines(
    advice: Advice, catalog: Catalog, *, width: int = 80, style: Style | None = None, is_verbose: bool = False
) -> Iterator[str]:
    """Yield the lines of an advice, none wider than `width` but code that cannot be broken.

    Args:
        advice: To be told.
        catalog: The schema that it is about.
        width: Cells of a line.
        style: Colours.
        is_verbose: Show all statements, the steps of the search, and where it was planned.
    """
    style = style or Style(color=False)
    for line in _summary(advice):
        yield from wrap(line, width)
    if advice.indexes:
        yield ""
        yield style.paint(_columns("make", "size", "benefit", "serves", width), "bold")
        for index in advice.indexes:
            yield from _index(index, width, style)
    if advice.drops:
        yield ""
        yield style.paint("drop", "bold")
        for drop in advice.drops:
            size = f", {size_text(drop.size_bytes)}" if drop.size_bytes else ""
            yield from _hanging(f"{drop.name} on {drop.table}{size}: {drop.reason}", width)
    yield from _statements(advice, width, style, is_verbose=is_verbose)
    yield from _code(advice, catalog, width, style)
    yield from _notes(advice, width, is_verbose=is_verbose)


def size_text(size_bytes: float) -> str:
    """Return `812 kB`, `6.7 MB`, `3.2 GB`, in steps of 1 024."""
    size = size_bytes / 1024
    if size < 999.5:
        return f"{size:.0f} kB"
    for unit in ("MB", "GB"):
        size /= 1024
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 99.95 else f"{size:.0f} {unit}"
    return f"{size / 1024:.1f} TB"


def _summary(advice: Advice) -> Iterator[str]:
    statements = counted(len(advice.statements), "statement")
    if not advice.statements:
        yield "No statement could be planned: there is nothing to advise on."
        return
    if not advice.indexes:
        found = "no new index makes them cheaper by enough"
        if advice.budget_bytes is not None:
            found = f"no new index of at most {size_text(advice.budget_bytes)} makes them cheaper by enough"
        if advice.ending is not Ending.COMPLETE:
            found = "no new index was found so far"
        yield f"{statements}, cost {cost_text(advice.cost_before)}: {found}."
        return
    left = advice.cost_after / advice.cost_before if advice.cost_before else 1.0
    yield (
        f"{statements}: cost {cost_text(advice.cost_before)} before, {cost_text(advice.cost_after)} after"
        f" ({left:.1%} is left)."
    )
    budget = f" of {size_text(advice.budget_bytes)}" if advice.budget_bytes is not None else ""
    size = f", {size_text(advice.size_bytes)}{budget}" if advice.size_bytes else ""
    writes = f"; writes pay {cost_text(advice.write_cost)} more" if advice.write_cost >= 1 else ""
    yield f"{counted(len(advice.indexes), 'new index', 'new indexes')}{size}{writes}."


def cost_text(cost: float) -> str:
    """Return a cost: `406 951`, with a decimal below ten."""
    return f"{cost:.1f}" if abs(cost) < 9.95 else number(round(cost))


def _columns(first: str, size: str, benefit: str, serves: str, width: int) -> str:
    room = width - _FIGURES
    return f"{pad(cut(first, room), room)} {size:>9} {benefit:>8} {serves:>8}"


def _index(index: AdvisedIndex, width: int, style: Style) -> Iterator[str]:
    spec = index.spec
    size = size_text(index.size_bytes) if index.size_bytes else ""
    serves = str(len(index.serves))
    yield style.paint(_columns(f"  {name_of(spec)}", size, _share(index.benefit), serves, width), "green")
    include = f" include ({', '.join(spec.include)})" if spec.include else ""
    where = f" where {spec.predicate}" if spec.predicate else ""
    using = f" using {spec.method}" if spec.method != "btree" else ""
    table = spec.table if spec.schema in ("", "public") else f"{spec.schema}.{spec.table}"
    yield from _hanging(f"{table}{using} ({', '.join(spec.keys)}){include}{where}", width, "      ")
    if index.replaces:
        yield from _hanging(f"in place of {', '.join(index.replaces)}", width, "      ")
    if index.beside:
        yield from _hanging(
            f"beside {index.beside}, which begins alike: only for being smaller (DBG205 will object)", width, "      "
        )


def _share(share: float) -> str:
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _hanging(text: str, width: int, indent: str = "  ") -> Iterator[str]:
    yield from (f"{indent}{line}" for line in wrap(text, width - len(indent)))


def _statements(advice: Advice, width: int, style: Style, *, is_verbose: bool) -> Iterator[str]:
    shown = advice.statements if is_verbose else _most_changed(advice)
    if not shown:
        return
    yield ""
    yield style.paint(f"{pad('statement', width - 30)} {'times':>7} {'before':>10} {'after':>10}", "bold")
    for each in shown:
        text = fit_query(each.shape.text, width - 32)
        figures = f"{number(round(each.weight)):>7} {cost_text(each.before):>10} {cost_text(each.after):>10}"
        yield f"  {pad(text, width - 32)} {figures}"
        if is_verbose and each.indexes:
            yield from _hanging(f"by {', '.join(each.indexes)}", width, "      ")
    hidden = len(advice.statements) - len(shown)
    if hidden:
        yield f"  ({number(hidden)} more; --verbose shows all)"


def _most_changed(advice: Advice) -> tuple[StatementCost, ...]:
    changed = [each for each in advice.statements if each.after < each.before * 0.999]
    changed.sort(key=lambda each: (-(each.before - each.after) * each.weight, each.shape.id))
    return tuple(changed[:MOST_STATEMENTS])


def _code(advice: Advice, catalog: Catalog, width: int, style: Style) -> Iterator[str]:
    statements = sql_statements(advice, catalog)
    if not statements:
        return
    yield ""
    yield style.paint("SQL", "bold")
    yield from (f"  {line}" for text in statements for line in _broken(text, width - 2))
    if advice.indexes:
        yield ""
        yield style.paint("SQLAlchemy, in __table_args__", "bold")
    for table, lines in sqlalchemy_lines(advice):
        yield f"  # {table}"
        yield from (f"  {line}" for code in lines for line in fit_code(code, width - 2))


def _broken(statement: str, width: int) -> Iterator[str]:
    """Break a statement before what stands in its own right: ON, INCLUDE, WHERE."""
    if len(statement) <= width:
        yield statement
        return
    head, on, rest = statement.partition(" ON ")
    yield head
    for mark in (" INCLUDE ", " WHERE "):
        rest = rest.replace(mark, f"\n{mark}", 1)
    first, *others = rest.split("\n")
    yield f"  {on.strip()} {first}"
    yield from (f"  {each.strip()}" for each in others)


def _notes(advice: Advice, width: int, *, is_verbose: bool) -> Iterator[str]:
    notes = list(_told(advice, is_verbose=is_verbose))
    if notes:
        yield ""
    for note in notes:
        yield from wrap(note, width)


def _told(advice: Advice, *, is_verbose: bool) -> Iterator[str]:
    if advice.ending is Ending.TIME:
        yield "The time was over: this is the best set so far; --time gives it more."
    if advice.ending is Ending.INTERRUPTED:
        yield "Interrupted: this is the best set so far."
    if advice.basis is Basis.MODELLED:
        yield "Sizes are not production's: dbguard stats export URL fetches those."
    for reason, count in advice.not_analysed:
        yield f"{counted(count, 'statement')} left out: {reason}."
    yield from (f"{line[:1].upper()}{line[1:]}." for line in advice.told)
    if is_verbose:
        steps = ", ".join(f"{size_text(step.size_bytes)}: {cost_text(step.cost)}" for step in advice.path)
        yield f"Steps of the search, size and cost: {steps}."
        yield f"{counted(advice.explains, 'plan')} in {duration(advice.elapsed_s * 1000)}, {advice.lab.reason}."
