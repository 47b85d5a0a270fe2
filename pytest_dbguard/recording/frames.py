"""Reads the application's frames off the stack: raw walks while recording, places and positions afterwards."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import islice
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.ownership import CodeKind, Ownership

_MAX_CODES = 100_000
_MAX_STACKS = 50_000
_MAX_ENTRIES = 10_000


class Mark(IntFlag):
    """What SQLAlchemy was doing, told by its own frames on the stack; and whether Alembic was running revisions."""

    NONE = 0
    FLUSH = 1
    AUTOFLUSH = 2
    COMMIT = 4
    CATALOG = 8
    GET = 16
    REFRESH = 32
    QUERY = 64
    SESSION = 128
    DDL = 256
    ROLLBACK = 512
    EXPIRE = 1024
    MERGE = 2048
    BULK = 4096
    MIGRATION = 8192


_MARKS: dict[tuple[str, str], Mark] = {
    ("orm/session.py", "_flush"): Mark.FLUSH,
    ("orm/session.py", "_autoflush"): Mark.AUTOFLUSH,
    ("orm/session.py", "commit"): Mark.COMMIT,
    ("orm/session.py", "rollback"): Mark.ROLLBACK,
    ("orm/session.py", "refresh"): Mark.REFRESH,
    ("orm/session.py", "merge"): Mark.MERGE,
    ("orm/session.py", "expire"): Mark.EXPIRE,
    ("orm/session.py", "expire_all"): Mark.EXPIRE,
    ("engine/base.py", "commit"): Mark.COMMIT,
    ("engine/base.py", "rollback"): Mark.ROLLBACK,
    ("orm/session.py", "get"): Mark.GET,
    ("orm/session.py", "get_one"): Mark.GET,
    ("orm/session.py", "_connection_for_bind"): Mark.SESSION,
    ("orm/query.py", "_iter"): Mark.QUERY,
    ("orm/query.py", "get"): Mark.GET,
    ("orm/bulk_persistence.py", ""): Mark.BULK,
    ("engine/reflection.py", ""): Mark.CATALOG,
    ("sql/ddl.py", ""): Mark.DDL,
}

# Holds for all that runs below it, whatever the application does in between: a revision is run once.
_MIGRATES = ("alembic/runtime/migration.py", "run_migrations")

# Below these frames the application has no callers of interest: pytest's own calls, where a request begins ...
_ENDS = frozenset(
    {
        ("_pytest/python.py", "pytest_pyfunc_call"),
        ("_pytest/fixtures.py", "call_fixture_func"),
        ("_pytest/runner.py", "call_and_report"),
        ("unittest/case.py", "run"),
        ("recording/web.py", "dbguard_request"),
        ("dev_server/asgi.py", "__call__"),
        ("dev_server/wsgi.py", "__call__"),
        ("dev_server/wsgi.py", "__next__"),
        ("dev_server/wsgi.py", "close"),
    }
)
# ... and where a thread or a task begins, whose starter is not on the stack.
_BREAKS = frozenset(
    {
        ("asyncio/events.py", "_run"),
        ("concurrent/futures/thread.py", "run"),
    }
)


@dataclass(slots=True, eq=False)
class CodeInfo:
    """What is known of one code object; kept alive so that its id stays its own."""

    code: CodeType
    kind: CodeKind
    file: str
    function: str
    marks: int = 0
    ends: bool = False
    breaks: bool = False
    is_root: bool = False
    is_library: bool = False
    matters: bool = True
    template_line: Callable[[int], int] | None = None
    sites: dict[int, Site] = field(default_factory=dict)

    @property
    def is_nested(self) -> bool:
        """Whether it is a comprehension, a generator expression or a lambda, which sees the names around it."""
        return self.code.co_name.startswith("<") and self.code.co_name != "<module>"

    def positions(self, instruction: int) -> tuple[int, int | None, int | None, int | None]:
        """Return (line, end line, column, end column) of an instruction; columns 0-based, in UTF-8 bytes."""
        found = next(islice(self.code.co_positions(), max(instruction, 0) // 2, None), (None, None, None, None))
        line, end_line, column, end_column = found
        return (line or self.code.co_firstlineno, end_line, column, end_column)

    def site(self, instruction: int) -> Site:
        """Return the place of an instruction."""
        site = self.sites.get(instruction)
        if site is None:
            site = self.sites[instruction] = self._make_site(instruction)
        return site

    def _in_characters(self, line: int | None, column: int | None) -> int | None:
        """Return a column that counts characters, as people and editors do, for one that counts bytes."""
        text = "" if line is None else linecache.getline(self.code.co_filename, line)
        if column is None or text.isascii():
            return column
        return len(text.encode()[:column].decode(errors="ignore"))

    def _make_site(self, instruction: int) -> Site:
        line, end_line, column, end_column = self.positions(instruction)
        in_test_code = self.kind is CodeKind.TEST
        column, end_column = (self._in_characters(line, column), self._in_characters(end_line, end_column))
        if self.template_line is not None:
            return Site(self.file, self.template_line(line), function=self.function, in_test_code=in_test_code)
        return Site(
            self.file,
            line,
            None if column is None else column + 1,
            self.function,
            end_line,
            None if end_column is None else end_column + 1,
            in_test_code,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of application or test code, at the instruction it stood at."""

    info: CodeInfo
    instruction: int

    @property
    def site(self) -> Site:
        """Where it is."""
        return self.info.site(self.instruction)

    @property
    def in_test_code(self) -> bool:
        """Whether it belongs to a test, a fixture or a factory."""
        return self.info.kind is CodeKind.TEST


@dataclass(slots=True, eq=False)
class Stack:
    """The application's frames below one statement, innermost first; equal stacks share one object.

    Attributes:
        key: (CodeInfo, instruction, CodeInfo, instruction, ...): equal for statements from the same place.
        frames: Application and test frames, without libraries. Recursion is folded: of a function that calls
            itself, by whatever way, only the innermost frame is kept, so that all depths share one stack.
        marks: What SQLAlchemy was doing.
        is_rooted: Whether it ends at the test function or where the scope begins, not at a thread or task of its own.
        recursion: The innermost frame that was folded: where the function calls itself; None without recursion.
    """

    key: tuple[Any, ...]
    frames: tuple[Frame, ...]
    marks: Mark
    is_rooted: bool
    recursion: Frame | None

    @property
    def site(self) -> Site | None:
        """Where the innermost application frame stands."""
        return self.frames[0].site if self.frames else None


Walk = tuple[tuple[Any, ...], int, bool, tuple[Any, ...]]
"""What one walk found: the stack's key, its marks, whether a root was met, the innermost frame that was folded."""


def _no_greenlet() -> Any:
    return None


class StackReader:
    """Walks stacks; owns the cache of code objects. One for each recorder."""

    def __init__(self, ownership: Ownership) -> None:
        self._ownership = ownership
        self._codes: dict[int, CodeInfo] = {}
        self._stacks: dict[Walk, Stack] = {}
        self._entries: dict[str, tuple[int, CodeType, int, int]] = {}
        self._roots: set[int] = set()
        self._greenlet: Callable[[], Any] = _no_greenlet
        self.notice_greenlet()

    def notice_greenlet(self) -> None:
        """Look for greenlet once it is imported: SQLAlchemy's asyncio layer runs the ORM inside of greenlets."""
        module = sys.modules.get("greenlet")
        if module is not None:
            self._greenlet = module.getcurrent

    def running(self) -> int:
        """Return a number for the thread or greenlet that runs now."""
        current = self._greenlet()
        return get_ident() if current is None else id(current)

    def owner_of(self, code: CodeType) -> tuple[CodeKind, str]:
        """Return whose code it is, and the path to show."""
        return self._ownership.of(code.co_filename)

    def outward(self, frame: FrameType | None) -> Iterator[FrameType]:
        """Yield a frame and those that called it, on through the parents of the greenlet that runs."""
        greenlet = self._greenlet()
        while frame is not None:
            yield frame
            frame = frame.f_back
            while frame is None and greenlet is not None:
                greenlet = greenlet.parent
                frame = None if greenlet is None else greenlet.gr_frame

    def set_roots(self, codes: tuple[CodeType, ...]) -> None:
        """Declare the functions below which nothing is of interest: the test function, the scope's opener."""
        for number in self._roots:
            if number in self._codes:
                self._codes[number].is_root = False
        self._roots = {id(code) for code in codes}
        for number in self._roots:
            if number in self._codes:
                self._codes[number].is_root = True

    def read(self, frame: FrameType | None, marks: int = 0) -> Walk:
        """Walk outwards from a frame to the root, a stop, or the end of the stack. About 0.2 µs a new frame.

        Args:
            frame: Where to begin.
            marks: What is known of frames further in, which are not walked.
        """
        get = self._codes.get
        found: list[Any] = []
        seen: set[CodeInfo] = set()
        recursion: tuple[Any, ...] = ()
        greenlet = None
        while True:
            if frame is None:
                # In a greenlet the stack ends early; the caller's part hangs on the parent.
                greenlet = self._greenlet() if greenlet is None else greenlet
                greenlet = None if greenlet is None else greenlet.parent
                frame = None if greenlet is None else greenlet.gr_frame
                if frame is None:
                    return tuple(found), marks, False, recursion
            code = frame.f_code
            info = get(id(code)) or self._learn(code, frame)
            if not info.matters:
                pass
            elif info.is_library:
                if not found:
                    # what the application sends in an event handler during a flush is its own, not the flush's
                    marks |= info.marks
                elif info.marks & Mark.MIGRATION:
                    marks |= Mark.MIGRATION
                if info.ends or info.breaks:
                    return tuple(found), marks, info.ends, recursion
            elif info in seen:
                recursion = recursion or (info, frame.f_lasti)
            else:
                seen.add(info)
                found.append(info)
                found.append(frame.f_lasti)
                if info.is_root:
                    return tuple(found), marks, True, recursion
            frame = frame.f_back

    def read_through(self, statement: str, depth: int) -> Walk:
        """Walk outwards from the caller at `depth`, as `read` does, but skip the library's frames where they are known.

        Python makes an object of each frame that is looked at, which costs more than all else here. Where the same
        statement text was sent before through the same call into the library, the frames in between are the same:
        only that call and what lies beyond it is looked at.
        """
        entry = self._entries.get(statement)
        if entry is not None:
            depth_in, code, instruction, marks = entry
            try:
                inner = sys._getframe(depth + depth_in)
            except ValueError:
                inner = None
            if inner is not None and inner.f_code is code and inner.f_lasti == instruction:
                return self.read(inner.f_back, marks)
        return self._read_and_note(statement, sys._getframe(depth))

    def _read_and_note(self, statement: str, frame: FrameType) -> Walk:
        """Walk, and note through which call of the application the statement came."""
        depth_in, marks, inner, outer = 0, 0, frame, frame.f_back
        while outer is not None:
            info = self._codes.get(id(inner.f_code)) or self._learn(inner.f_code, inner)
            marks |= info.marks
            beyond = self._codes.get(id(outer.f_code)) or self._learn(outer.f_code, outer)
            if not info.is_library or info.ends or info.breaks:
                break
            if not beyond.is_library:
                if len(self._entries) >= _MAX_ENTRIES:
                    self._entries.clear()
                self._entries[statement] = (depth_in, inner.f_code, inner.f_lasti, marks)
                break
            depth_in, inner, outer = depth_in + 1, outer, outer.f_back
        return self.read(frame)

    def stack(self, walk: Walk) -> Stack:
        """Return the stack that a walk stands for; the same object for equal walks."""
        stack = self._stacks.get(walk)
        if stack is None:
            if len(self._stacks) >= _MAX_STACKS:
                self._stacks.clear()
            key, marks, is_rooted, folded = walk
            frames = tuple(Frame(key[i], key[i + 1]) for i in range(0, len(key), 2))
            stack = self._stacks[walk] = Stack(key, frames, Mark(marks), is_rooted, Frame(*folded) if folded else None)
        return stack

    def _learn(self, code: CodeType, frame: FrameType) -> CodeInfo:
        if len(self._codes) >= _MAX_CODES:
            self._codes.clear()
        template = frame.f_globals.get("__jinja_template__")
        kind, file = self._ownership.of(code.co_filename)
        info = CodeInfo(code, kind, file, _function_name(code), is_root=id(code) in self._roots)
        if template is not None and kind is not CodeKind.LIBRARY:
            info.template_line = template.get_corresponding_lineno
            info.function = "template"
        if kind is CodeKind.LIBRARY:
            _note_library_facts(info)
            info.is_library = True
            info.matters = bool(info.marks) or info.ends or info.breaks
        self._codes[id(code)] = info
        return info


def _note_library_facts(info: CodeInfo) -> None:
    path, name = info.code.co_filename.replace("\\", "/"), info.code.co_name
    parts = path.split("/")
    tails = ("/".join(parts[-2:]), "/".join(parts[-3:]))
    info.ends = any((tail, name) in _ENDS for tail in tails)
    info.breaks = any((tail, name) in _BREAKS for tail in tails) or name == "_bootstrap_inner"
    if (tails[1], name) == _MIGRATES:
        info.marks = int(Mark.MIGRATION)
    elif "/sqlalchemy/dialects/" in path:
        info.marks = int(Mark.CATALOG)
    elif "/sqlalchemy/" in path:
        info.marks = int(_MARKS.get((tails[0], name), _MARKS.get((tails[0], ""), Mark.NONE)))


def _function_name(code: CodeType) -> str:
    """Return the qualified name without `<locals>` and without comprehensions and lambdas, which 3.12 inlines."""
    parts = [part for part in code.co_qualname.split(".") if not part.startswith("<")]
    return ".".join(parts) or "<module>"
