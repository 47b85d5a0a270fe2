"""Statements that repeat from one place, and who repeats them: a loop, recursion, a callback, or sibling tasks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.frames import Frame, Mark, Stack
from pytest_dbguard.recording.loops import Loop, LoopFinder
from pytest_dbguard.recording.model import Recording, Statement

MIN_CONCURRENT = 5
"""Sibling tasks or threads share no frame: fewer than this may be requests that happen to look alike."""


class Cause(StrEnum):
    """Who repeats a statement."""

    LOOP = "loop"
    RECURSION = "recursion"
    CALLBACK = "callback"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who repeats what runs from one place.

    Attributes:
        cause: What kind of repetition it is.
        frame: The frame of the loop, of the recursive function or of the caller; None for sibling tasks.
        loop: The loop, where the cause is one.
    """

    cause: Cause
    frame: Frame | None = None
    loop: Loop | None = None

    @property
    def site(self) -> Site | None:
        """Where the repetition is caused."""
        if self.loop is not None:
            return self.loop.site
        return self.frame.site if self.frame is not None else None

    @property
    def phrase(self) -> str:
        """Who repeats it, to stand after a verb: "once for each iteration of `for x in xs:`"."""
        if self.loop is not None:
            return f"once for each iteration of `{self.loop.head}`"
        name = self.frame.info.function if self.frame is not None else ""
        if self.cause is Cause.RECURSION:
            return f"at every level of the recursion of `{name}`"
        if self.cause is Cause.CALLBACK:
            return f"once for each callback from `{name}`"
        return "once in each of several concurrent tasks"


@dataclass(frozen=True, slots=True)
class Repetition:
    """Statements from one place, and who repeats them.

    Attributes:
        statements: Those that were kept, in order.
        count: How many there were, kept or not.
        owner: Who repeats them.
    """

    statements: tuple[Statement, ...]
    count: int
    owner: Owner

    @property
    def cause(self) -> Cause:
        """What kind of repetition it is."""
        return self.owner.cause

    @property
    def loop(self) -> Loop | None:
        """The loop, where the cause is one."""
        return self.owner.loop

    @property
    def stack(self) -> Stack:
        """The stack that all its statements share."""
        return self.statements[0].stack

    @property
    def site(self) -> Site | None:
        """Where the statement runs."""
        return self.stack.site

    @property
    def loop_site(self) -> Site | None:
        """Where the repetition is caused."""
        return self.owner.site

    @property
    def in_test_code(self) -> bool:
        """Whether tests, fixtures or factories repeat it rather than the application."""
        if self.owner.frame is not None:
            return self.owner.frame.in_test_code
        return all(frame.in_test_code for frame in self.stack.frames)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of its statements."""
        return frozenset(statement.number for statement in self.statements)

    @property
    def phrase(self) -> str:
        """Who repeats it, to stand after a verb: "once for each iteration of `for x in xs:`"."""
        return self.owner.phrase


def repetitions(
    recording: Recording,
    loops: LoopFinder,
    wanted: Callable[[Statement], bool],
    key: Callable[[Statement], Hashable],
    threshold: int = 2,
) -> Iterable[Repetition]:
    """Yield what repeats from one place, for the wanted statements with equal keys, first seen first."""
    groups: dict[Hashable, list[Statement]] = {}
    for statement in recording.statements:
        if wanted(statement):
            groups.setdefault((key(statement), statement.stack.key), []).append(statement)
    for statements in groups.values():
        if len(statements) >= threshold:
            found = explain(tuple(statements), loops, recording)
            if found is not None:
                yield found


def explain(
    statements: tuple[Statement, ...], loops: LoopFinder, recording: Recording, *, by_whom: bool = False
) -> Repetition | None:
    """Return who repeats statements that share one stack; None where nobody is to blame, as for retries.

    With `by_whom`, of several loops in one function that one repeats them whose rounds change the instance whose
    attribute is read.
    """
    stack = statements[0].stack
    shapes = {statement.text.shape.id for statement in statements}
    count = len(statements) + sum(recording.overflow.get((shape, stack.key), 0) for shape in shapes)
    recursion = next((s.stack.recursion for s in statements if s.stack.recursion is not None), None)
    owner = owner_of(stack, loops, count, recursion=recursion, by_whom=by_whom)
    return None if owner is None else Repetition(statements, count, owner)


def owner_of(
    stack: Stack, loops: LoopFinder, count: int, *, recursion: Frame | None = None, by_whom: bool = False
) -> Owner | None:
    """Return who repeats what runs `count` times from one stack; None where nobody is to blame."""
    found = _loop_around(stack, loops, recursion, by_whom)
    if found is not None:
        return Owner(Cause.LOOP, *found)
    if not stack.frames or any(loops.loops(frame) for frame in stack.frames):
        return None
    if recursion is not None:
        return Owner(Cause.RECURSION, stack.frames[0])
    if stack.is_rooted:
        return Owner(Cause.CALLBACK, _caller(stack, loops))
    return Owner(Cause.CONCURRENT) if count >= MIN_CONCURRENT else None


def _loop_around(stack: Stack, loops: LoopFinder, recursion: Frame | None, by_whom: bool) -> tuple[Frame, Loop] | None:
    """Return the loop that repeats what runs from a stack, with its frame.

    It is the innermost one, but for loops whose rounds change nothing that the call in them uses: with
    `for order in orders: [getattr(order, name) for name in names]` each order loads once, not each name.
    """
    innermost: tuple[Frame, Loop] | None = None
    names: frozenset[str] = frozenset()
    for frame in _with(recursion, stack.frames):
        names |= loops.used(frame, by_whom=by_whom)
        around = [loop for loop in loops.loops(frame) if loop.owns]
        if around and innermost is None:
            innermost = (frame, around[0])
        changed = next((loop for loop in around if not names.isdisjoint(loop.binds)), None)
        if changed is not None:
            return frame, changed
        if not frame.info.is_nested:
            # names of one function mean nothing in the one that called it
            names = frozenset()
            if innermost is not None:
                return innermost
    return innermost


def _with(recursion: Frame | None, frames: tuple[Frame, ...]) -> Iterator[Frame]:
    """Yield the frames, and after that of a recursive function the one in which it calls itself."""
    for frame in frames:
        yield frame
        if recursion is not None and recursion.info is frame.info:
            yield recursion


def _caller(stack: Stack, loops: LoopFinder) -> Frame:
    """Return the frame that calls a function not by its name but hands it to somebody who does: `map`, `sorted`."""
    for inner, outer in pairwise(stack.frames):
        if not loops.calls(outer, inner.info.code.co_name):
            return outer
    return stack.frames[min(1, len(stack.frames) - 1)]


def alternating(found: Iterable[Repetition]) -> list[list[Repetition]]:
    """Group repetitions that one owner runs in turn, as A B A B; each alone where it does not alternate."""
    patterns: list[list[Repetition]] = []
    for repetition in sorted(found, key=lambda each: each.statements[0].number):
        pattern = next((each for each in patterns if _alternate(each[0], repetition)), None)
        if pattern is None:
            patterns.append([repetition])
        else:
            pattern.append(repetition)
    return patterns


def _alternate(one: Repetition, other: Repetition) -> bool:
    """Whether two repetitions have one owner, which runs the one and then the other in each round.

    What one line sends for several tables, by a class that it is handed, is one as well.
    """
    if one.stack.key == other.stack.key:
        return True
    if one.cause is not other.cause or one.loop_site is None or one.loop_site != other.loop_site:
        return False
    turns = sorted([*((s.number, 0) for s in one.statements), *((s.number, 1) for s in other.statements)])
    return all(before[1] != after[1] for before, after in pairwise(turns))


@dataclass(frozen=True, slots=True)
class Autoflushed:
    """Writes that a repeated read flushed first."""

    numbers: frozenset[int] = frozenset()
    evidence: tuple[str, ...] = ()


def autoflushed(recording: Recording, stacks: Collection[Hashable], verbs: tuple[str, ...]) -> Autoflushed:
    """Return the autoflush writes that ran at the stacks of reported reads: they go when the reads go."""
    found: dict[tuple[str, str], list[int]] = {}
    for statement in recording.statements:
        text = statement.text
        if statement.stack.marks & Mark.AUTOFLUSH and text.verb in verbs and statement.stack.key in stacks:
            found.setdefault((text.verb, text.table), []).append(statement.number)
    evidence = tuple(f"+{len(numbers)} autoflush {verb}s of {table}" for (verb, table), numbers in found.items())
    return Autoflushed(frozenset(number for numbers in found.values() for number in numbers), evidence)
