"""What a test ran on which schema, by shape and place, in a form that travels from worker to controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.analysis.ignore_book import ignore_from_json, ignore_to_json
from pytest_dbguard.analysis.schema_watch import is_system
from pytest_dbguard.analysis.statement_ignores import written_for
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.core.serial import site_from_json, site_to_json
from pytest_dbguard.recording.exemplars import Exemplars, TextValues
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.model import Recording, Statement


@dataclass(frozen=True, slots=True)
class Observation:
    """One shape at one place, in one test.

    Attributes:
        schema: Id of the schema; "" where it could not be read.
        shape_id: Which statement; its text is told once a process.
        site: The innermost application frame.
        count: Executions.
        in_test_code: Whether only test code stands on the stack.
        scope: "call" or a request.
        ignores: What blocks and comments in the SQL say of every one of these executions.
    """

    schema: str
    shape_id: str
    site: Site | None
    count: int
    in_test_code: bool = False
    scope: str = "call"
    ignores: tuple[Ignore, ...] = ()


def observations(recordings: Iterable[Recording]) -> list[Observation]:
    """Return what was run on schemas, without what fixtures ran, what revisions ran and what no frame is known of."""
    groups: dict[tuple[Any, ...], list[tuple[Recording, Statement]]] = {}
    for recording in recordings:
        if recording.prepares:
            continue
        for statement in recording.statements:
            if _is_of_interest(statement):
                key = (statement.schema, statement.text.shape.id, statement.site, recording.scope)
                groups.setdefault(key, []).append((recording, statement))
    return [_observed(found) for found in groups.values()]


def observation_to_json(observed: Observation) -> list[Any]:
    """Return an observation as JSON values."""
    return [
        observed.schema,
        observed.shape_id,
        site_to_json(observed.site),
        observed.count,
        observed.in_test_code,
        observed.scope,
        [ignore_to_json(ignore) for ignore in observed.ignores],
    ]


def observation_from_json(value: list[Any]) -> Observation:
    """Return the observation that `observation_to_json` described."""
    schema, shape_id, site, count, in_test_code, scope, ignores = value
    read = tuple(map(ignore_from_json, ignores))
    return Observation(schema, shape_id, site_from_json(site), count, in_test_code, scope, read)


@dataclass(slots=True)
class LearnedText:
    """A text of a shape and what is known of all of its texts, as several processes know them: see `TextValues`."""

    text: str
    style: str
    values: dict[int, set[Any]] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    longest_list: int = 0
    literal_sets: set[str] = field(default_factory=set)


def texts_to_json(exemplars: Exemplars) -> list[list[Any]]:
    """Return the texts of shapes as JSON values. They may hold literals: for other processes only."""
    return [[shape, *_text_to_json(known)] for shape, known in exemplars]


def merge_texts(known: dict[tuple[str, str], LearnedText], told: Iterable[list[Any]], limit: int) -> None:
    """Take in texts that a process knows: the best of each shape stays, what its parameters held adds up.

    Args:
        known: By shape id and style.
        told: What `texts_to_json` returned.
        limit: Number of values from which a parameter is given up.
    """
    for shape, text, style, values, given_up, longest_list, literal_sets in told:
        seen = {int(at): set(values_seen) for at, values_seen in values.items()}
        learned = LearnedText(text, style, seen, set(given_up), longest_list, set(literal_sets))
        before = known.get((shape, style))
        if before is not None:
            learned.longest_list = before.longest_list = max(before.longest_list, longest_list)
            learned.literal_sets = before.literal_sets = before.literal_sets | learned.literal_sets
        if before is None or (len(text), text) < (len(before.text), before.text):
            known[shape, style] = learned
        elif before.text == text:
            _add(before, learned, limit)


def _is_of_interest(statement: Statement) -> bool:
    """Whether a statement's plan matters.

    A revision's runs once, on a schema that goes with it. Tables that are not the program's
    are in no catalog.
    """
    if not statement.stack.frames or statement.failed or statement.stack.marks & Mark.MIGRATION:
        return False
    if (statement.tables or not statement.schema) and all(map(is_system, statement.tables)):
        return False
    return statement.text.is_read or statement.text.is_write


def _add(known: LearnedText, more: LearnedText, limit: int) -> None:
    known.given_up |= more.given_up
    for position, seen in more.values.items():
        known.values.setdefault(position, set()).update(seen)
    for position in [at for at, seen in known.values.items() if at in known.given_up or len(seen) > limit]:
        known.given_up.add(position)
        del known.values[position]


def _text_to_json(known: TextValues) -> list[Any]:
    values: Mapping[str, list[Any]] = {
        str(at): sorted(seen, key=repr) for at, seen in known.values.items() if at not in known.given_up
    }
    more = [known.longest_list, sorted(known.literal_sets)]
    return [known.text, known.style, values, sorted(known.given_up), *more]


def _observed(found: list[tuple[Recording, Statement]]) -> Observation:
    recording, first = found[0]
    ignores = [frozenset(written_for(statement, of)) for of, statement in found]
    shared = frozenset.intersection(*ignores)
    return Observation(
        first.schema,
        first.text.shape.id,
        first.site,
        len(found),
        all(frame.in_test_code for _, statement in found for frame in statement.stack.frames),
        recording.scope,
        tuple(sorted(shared, key=repr)),
    )
