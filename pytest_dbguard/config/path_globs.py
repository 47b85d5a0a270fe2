"""Globs of paths relative to the root, for settings that hold for a part of the project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile


@dataclass(frozen=True)
class PathGlob:
    """One glob: `*` and `?` stay within a directory, `**` spans any number; a directory covers what it holds."""

    text: str

    @property
    def problem(self) -> tuple[str, str] | None:
        """What is wrong with it, and what to do; None when it can be used."""
        parts = self.text.split("/")
        if not self.text.strip("/ "):
            return f"{self.text!r} names no path", 'write a glob relative to the root, such as "shop/legacy/*"'
        if "\\" in self.text:
            return f"{self.text!r} holds a backslash", "separate directories by /"
        if self.text.startswith("/") or ".." in parts or "." in parts:
            return f"{self.text!r} is not relative to the root", 'write it from the root on, such as "shop/legacy/*"'
        if any("**" in part and part != "**" for part in parts):
            return f"{self.text!r}: `**` stands for whole directories", 'put it between slashes: "shop/**/models.py"'
        return None

    @property
    def base(self) -> str:
        """The directories above the first part with a glob, or the whole path when it has none."""
        parts = self.text.split("/")
        return "/".join(takewhile(lambda part: "*" not in part and "?" not in part, parts))

    def matches(self, path: str) -> bool:
        """Return whether a path with `/`, relative to the root, is covered."""
        return self._pattern.fullmatch(path) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        *directories, last = self.text.strip("/").split("/")
        above = "".join("(?:[^/]+/)*" if part == "**" else f"{_of_part(part)}/" for part in directories)
        return re.compile(f"{above}{'[^/]+' if last == '**' else _of_part(last)}(?:/.*)?", re.DOTALL)


def _of_part(part: str) -> str:
    """Return the pattern of the part of a path between two slashes."""
    return re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
