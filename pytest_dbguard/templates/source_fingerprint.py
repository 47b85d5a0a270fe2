"""Tells whether Python code has changed: the source of a function and of all of the project's modules it reaches."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


def source_fingerprint(function: Callable[..., Any], root: Path) -> bytes:
    """Return bytes that change when the function or a module of the project that it reaches changes.

    Reached is what its module's globals hold: modules, and the modules of functions and classes, from there on. What
    lies outside of `root`, or in an environment below it, counts by its name alone: installed packages are told apart
    by their versions elsewhere or not at all.
    """
    found = hashlib.sha256(_own_source(function))
    for path in sorted(_reached(function, root.resolve())):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.digest()


def _own_source(function: Callable[..., Any]) -> bytes:
    """Return the function's source, or for code without any what it does."""
    try:
        return inspect.getsource(inspect.unwrap(function)).encode()
    except (OSError, TypeError):
        code = getattr(inspect.unwrap(function), "__code__", None)
        return _code_bytes(code) if code is not None else repr(type(function)).encode()


def _code_bytes(code: CodeType) -> bytes:
    inner = b"".join(_code_bytes(each) for each in code.co_consts if isinstance(each, CodeType))
    plain = [each for each in code.co_consts if isinstance(each, str | bytes | int | float | None)]
    return code.co_code + repr((code.co_names, plain)).encode() + inner


def _reached(function: Callable[..., Any], root: Path) -> set[Path]:
    paths: set[Path] = set()
    waiting = [getattr(inspect.unwrap(function), "__module__", None)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name is None or name in seen:
            continue
        seen.add(name)
        module = sys.modules.get(name)
        path = _file_of(module, root)
        if module is not None and path is not None:
            paths.add(path)
            waiting += _modules_named_in(module)
    return paths


def _file_of(module: ModuleType | None, root: Path) -> Path | None:
    """Return the file of a module of the project; None for what is installed."""
    file = getattr(module, "__file__", None)
    if file is None:
        return None
    path = Path(file).resolve()
    is_ours = path.is_relative_to(root) and not {"site-packages", "dist-packages"} & set(path.parts)
    return path if is_ours and path.is_file() else None


def _modules_named_in(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            yield value.__name__
        else:
            name = getattr(value, "__module__", None)
            if isinstance(name, str):
                yield name
