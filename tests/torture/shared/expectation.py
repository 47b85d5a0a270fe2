"""The state that a test has to find, and in what another one differs from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

State = dict[str, list[str]]


class Expectation:
    """The state that a test has to find: that of the recipe, and what living fixtures of wider scope have changed."""

    def __init__(self, base: State) -> None:
        self._base = base
        self._changes: list[tuple[str, str, str | None]] = []
        self._whole: State | None = None

    @contextmanager
    def with_line(self, name: str, line: str, instead_of: str | None = None) -> Iterator[None]:
        """Expect one more line of what the state calls `name`, or one instead of another."""
        change = name, line, instead_of
        self._changes.append(change)
        try:
            yield
        finally:
            self._changes.remove(change)

    @contextmanager
    def with_state(self, whole: State) -> Iterator[None]:
        """Expect something else altogether."""
        self._whole = whole
        try:
            yield
        finally:
            self._whole = None

    @property
    def is_plain(self) -> bool:
        """Whether no fixture of wider scope has changed anything."""
        return self._whole is None and not self._changes

    def state(self) -> State:
        if self._whole is not None:
            return self._whole
        state = {name: list(lines) for name, lines in self._base.items()}
        for name, line, instead_of in self._changes:
            if instead_of is not None:
                state[name].remove(instead_of)
            state[name] = sorted([*state[name], line])
        return state


def differences(expected: State, found: State) -> list[str]:
    """Return in what two states differ, one a line."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        before, after = expected.get(name), found.get(name)
        if before is None or after is None:
            lines.append(f"{name}: {'missing' if after is None else 'new'}")
        elif before != after:
            lines.append(f"{name}: missing {_less(before, after)}, new {_less(after, before)}")
    return lines


def _less(some: list[str], others: list[str]) -> list[str]:
    left = list(others)
    return [line for line in some if line not in left or left.remove(line)][:5]
