"""Counts the statements of one role by shape: a few additions each, in memory that has a bound."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from threading import RLock
from typing import Any, Final

from pytest_dbguard.runtime.statistics.figures import RoleFigures, StatementFigures
from pytest_dbguard.runtime.statistics.row import BOUNDS_NS, Row
from pytest_dbguard.sql.shape import read_statement

OWN: Final = "/* dbguard: own */"
"""Written into a statement that the runtime sends over an application's connection: it is not counted."""

OTHER: Final = "other"
_MAX_TEXTS = 5_000
_MAX_CHARACTERS = 4_000_000
_MAX_SQL = 4_000
_MAX_KINDS = 50
_BY_TEXT = "__[SCHEMA_"
_LONG = 10_000


class Ledger:
    """The rows of one role.

    The key of a statement is the text that SQLAlchemy compiled: one string object for all executions, also where the
    text that is sent differs, for the length of a list, the number of inserted rows or a comment with a trace. It is
    read once; keys are forgotten together when they are too many, which costs reading them again and no count.
    """

    def __init__(self, role: str, max_shapes: int) -> None:
        self.role = role
        self.cancelled = 0
        self._max_shapes = max_shapes
        # reentrant: a signal's handler may execute statements while the thread that it interrupts is inside
        self._lock = RLock()
        self._keys: dict[Any, Row] = {}
        self._characters = 0
        self._shapes: dict[str, Row] = {}
        self._other = Row(OTHER, "all others")
        self._kinds: Counter[str] = Counter()

    def add(self, context: Any, statement: str, elapsed_ns: int, rows: int, is_slow: bool) -> Row:
        """Count one execution. The hot path."""
        compiled = context.compiled
        key = statement if compiled is None else compiled.string
        row = self._keys.get(key)
        if row is None or row is _READ_TEXT:
            row = self._read(key, statement)
        if row.is_counted:
            with self._lock:
                if row.is_gone:
                    row = self._other
                row.calls += 1
                row.total_ns += elapsed_ns
                row.buckets[bisect_left(BOUNDS_NS, elapsed_ns)] += 1
                if elapsed_ns > row.max_ns:
                    row.max_ns = elapsed_ns
                if rows > 0:
                    row.rows += rows
                if is_slow:
                    row.slow += 1
        return row

    def add_error(self, row: Row, kind: str) -> None:
        """Note that an execution that was counted has failed."""
        if row.is_counted:
            with self._lock:
                (self._other if row.is_gone else row).errors += 1
                self._kinds[kind if kind in self._kinds or len(self._kinds) < _MAX_KINDS else OTHER] += 1

    def add_cancelled(self, row: Row) -> None:
        """Note that nobody waited for the end of an execution that was counted."""
        if row.is_counted:
            with self._lock:
                self.cancelled += 1

    def shapes(self) -> tuple[StatementFigures, ...]:
        """Return what was counted of each shape, and of "other" when there are others."""
        with self._lock:
            rows = [*self._shapes.values(), *([self._other] if self._other.calls else [])]
            return tuple(row.figures(self.role) for row in rows if row.calls)

    def figures(self) -> RoleFigures:
        """Return what was counted of all."""
        total = Row("", "")
        with self._lock:
            for row in (*self._shapes.values(), self._other):
                total.take(row)
            shapes, kinds, cancelled = len(self._shapes), dict(self._kinds), self.cancelled
        return RoleFigures(
            role=self.role,
            calls=total.calls,
            errors=total.errors,
            total_ms=total.total_ns / 1e6,
            max_ms=total.max_ns / 1e6,
            rows=total.rows,
            slow=total.slow,
            cancelled=cancelled,
            shapes=shapes,
            errors_by_kind=kinds,
            durations=total.durations(),
        )

    def reset(self) -> None:
        """Forget all that was counted."""
        # a new lock, since in a forked process nobody is left who could let the old one go
        self._lock = RLock()
        self._keys, self._shapes, self._characters = {}, {}, 0
        self._other = Row(OTHER, "all others")
        self._kinds = Counter()
        self.cancelled = 0

    def _read(self, key: Any, statement: str) -> Row:
        """Return the row of a statement whose key is not known yet."""
        if _BY_TEXT in key:
            # one compiled text for the schemas of several tenants: what is sent tells them apart
            self._keys[key] = _READ_TEXT
            key = statement
        if len(key) > _LONG:
            key = (len(key), hash(key))
        row = self._keys.get(key)
        if row is not None:
            return row
        text = read_statement(statement)
        if text.verb == "TRANSACTION" or OWN in statement:
            return self._keep(key, _UNCOUNTED)
        with self._lock:
            row = self._shapes.get(text.shape.id)
            if row is None:
                if len(self._shapes) >= self._max_shapes:
                    self._make_room()
                row = self._shapes[text.shape.id] = Row(text.shape.id, text.shape.text[:_MAX_SQL])
        return self._keep(key, row)

    def _keep(self, key: Any, row: Row) -> Row:
        with self._lock:
            self._characters += len(key)
            if row.is_gone:
                return row
            if len(self._keys) >= _MAX_TEXTS or self._characters > _MAX_CHARACTERS:
                self._keys.clear()
                self._characters = len(key)
            self._keys[key] = row
        return row

    def _make_room(self) -> None:
        """Put the tenth of the shapes that took least time into "other"."""
        least = sorted(self._shapes.values(), key=lambda row: row.total_ns)[: max(1, self._max_shapes // 10)]
        for row in least:
            self._other.take(row)
            row.is_gone = True
            del self._shapes[row.shape_id]
        self._keys = {key: row for key, row in self._keys.items() if not row.is_gone}


_UNCOUNTED: Final = Row("", "", is_counted=False)
_READ_TEXT: Final = Row("", "", is_counted=False)
