"""Tells whether Python code has changed: the source of a function and all of the project that it reaches."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, MethodType, ModuleType
from typing import Any, Final

_ELSEWHERE: Final = frozenset({"site-packages", "dist-packages", "node_modules"})
_PLAIN: Final = (str, bytes, int, float, complex, type(None))
_LONGEST_PATH = 200


def source_fingerprint(function: Callable[..., Any], root: Path) -> bytes:
    """Return bytes that change when the function changes, or what it reaches of the project.

    That is: the functions and plain values of its own module that it names, and from there on; the modules that what
    it names comes from, and all modules of the project that those import; files beside it or below `root` that it
    names in quotes. Installed packages do not count. The result is the same in every process.
    """
    found = _Reached(root.resolve())
    found.add(function)
    return found.digest()


class _Reached:
    """What has been found so far."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parts: dict[str, bytes] = {}
        self._seen: set[int] = set()

    def digest(self) -> bytes:
        """Return the hash of all that was found, in an order that is always the same."""
        found = hashlib.sha256()
        for name, content in sorted(self._parts.items()):
            found.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        return found.digest()

    def add(self, function: Any) -> None:
        """Take in a function or another callable, and what it names."""
        if id(function) in self._seen:
            return
        self._seen.add(id(function))
        if isinstance(function, partial):
            for value in (function.func, *function.args, *function.keywords.values()):
                self._add_value("a partial", value, None)
            return
        if isinstance(function, MethodType):
            self._add_value("a method", function.__self__, None)
        function = inspect.unwrap(getattr(function, "__func__", function))
        code: CodeType | None = getattr(function, "__code__", None)
        if code is None:
            self._add_home(function if inspect.isclass(function) else type(function))
            return
        self._parts[f"function {function.__qualname__} {len(self._parts)}"] = source = _source(function, code)
        home = Path(code.co_filename)
        for path in _imported(_dedented(source), home, self._bases()):
            self._add_module(path)
        for name, value in _named(function, code):
            self._add_value(f"{function.__qualname__} {name}", value, home)
        self._add_files(code, home.parent)

    def _add_value(self, name: str, value: Any, home: Path | None) -> None:
        """Take in what stands behind a name that a function of the file `home` uses."""
        text = _plain(value)
        if text is not None:
            self._parts[f"value {name}"] = text.encode()
        elif isinstance(value, ModuleType):
            self._add_module(_path(getattr(value, "__file__", None)))
        elif inspect.isroutine(value) or isinstance(value, partial):
            code = getattr(inspect.unwrap(value), "__code__", None)
            if home is None or (code is not None and Path(code.co_filename) == home):
                self.add(value)
            else:
                self._add_home(value)
        elif inspect.isclass(value):
            self._add_home(value)
        else:
            self._add_home(type(value))
            self._add_module(home)

    def _add_home(self, value: Any) -> None:
        """Take in the module that something is defined in."""
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        self._add_module(_path(getattr(module, "__file__", None)))

    def _add_module(self, path: Path | None) -> None:
        """Take in a module of the project, and those that it imports, anywhere in it."""
        waiting = [path]
        while waiting:
            file = waiting.pop()
            if file is None or not self._is_ours(file):
                continue
            name = f"module {file.resolve().relative_to(self._root)}"
            if name not in self._parts:
                self._parts[name] = content = file.read_bytes()
                waiting += _imported(content, file, self._bases())

    def _bases(self) -> list[Path]:
        """Return the directories of the project that imports start from."""
        on_path = [Path(entry or ".").resolve() for entry in sys.path]
        return [self._root, self._root / "src", *(base for base in on_path if base.is_relative_to(self._root))]

    def _add_files(self, code: CodeType, beside: Path) -> None:
        for text in filter(_may_be_path, _constants(code)):
            for path in (beside / text, self._root / text):
                if path.is_file() and self._is_ours(path):
                    self._parts[f"file {path.resolve().relative_to(self._root)}"] = path.read_bytes()

    def _is_ours(self, path: Path) -> bool:
        path = path.resolve()
        return path.is_relative_to(self._root) and not _ELSEWHERE & set(path.parts) and path.is_file()


def _dedented(source: bytes) -> bytes:
    """Return the source of a function inside another one as a text of its own."""
    return textwrap.dedent(source.decode(errors="replace")).encode()


def _source(function: Any, code: CodeType) -> bytes:
    """Return a function's source, or what it does where it has none."""
    try:
        return inspect.getsource(function).encode()
    except (OSError, TypeError):
        return b"".join(_code_bytes(code))


def _code_bytes(code: CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, [_plain(value) for value in code.co_consts])).encode()
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _code_bytes(inner)


def _named(function: Any, code: CodeType) -> Iterator[tuple[str, Any]]:
    """Yield what a function uses from outside: globals, variables of the function around it, defaults."""
    for name in sorted(_names(code)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for number, value in enumerate(function.__defaults__ or ()):
        yield f"default {number}", value
    for name, value in (function.__kwdefaults__ or {}).items():
        yield f"default {name}", value


def _names(code: CodeType) -> set[str]:
    inner = (_names(each) for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*inner)


def _constants(code: CodeType) -> Iterator[str]:
    for value in code.co_consts:
        if isinstance(value, str):
            yield value
        elif isinstance(value, CodeType):
            yield from _constants(value)


def _may_be_path(text: str) -> bool:
    return 0 < len(text) < _LONGEST_PATH and "." in text and not {"\n", "\0"} & set(text)


def _plain(value: Any) -> str | None:
    """Return the text of a value that has one which is the same in every process; None for any other."""
    if type(value) in _PLAIN or isinstance(value, bool | Path):
        return repr(value)
    if isinstance(value, dict):
        return _all(f"{_plain(key)}: {_plain(item)}" for key, item in value.items()) if _are_plain(value) else None
    if isinstance(value, list | tuple | set | frozenset) and all(_plain(item) is not None for item in value):
        texts = [str(_plain(item)) for item in value]
        return _all(sorted(texts) if isinstance(value, set | frozenset) else texts)
    return None


def _are_plain(value: dict[Any, Any]) -> bool:
    return all(_plain(each) is not None for pair in value.items() for each in pair)


def _all(texts: Iterable[str]) -> str:
    return f"({', '.join(texts)})"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _imported(content: bytes, file: Path, bases: list[Path]) -> Iterator[Path]:
    """Yield the files of modules that a module imports, where they are below one of the directories."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(alias.name.split("."), bases)
        elif isinstance(node, ast.ImportFrom):
            start = [file.parents[node.level - 1]] if 0 < node.level <= len(file.parents) else bases
            module = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _files_of([*module, alias.name], start)


def _files_of(names: list[str], bases: list[Path]) -> Iterator[Path]:
    """Yield all files that an import of this dotted name runs: packages on the way, and a module or what is in it."""
    for base in bases:
        for end in range(len(names) + 1):
            place = base.joinpath(*names[:end])
            yield place / "__init__.py"
            if end:
                yield place.with_name(f"{place.name}.py")
