"""Comments that silence findings: `# dbguard: ignore[DBG101] reason` on the access, origin or loop line."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from pathlib import Path

from pytest_dbguard.core.findings import Finding, Site

_COMMENT = re.compile(r"dbguard:\s*ignore\s*\[([^\]]*)\]")


class InlineIgnores:
    """Reads ignore comments from source files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def silences(self, finding: Finding) -> bool:
        """Whether a comment on one of the finding's lines, or alone on the line above, names its rule."""
        return any(
            _names(word, finding)
            for place in (finding.site, finding.origin, finding.loop)
            if place is not None
            for word in self._words(place)
        )

    def _words(self, place: Site) -> Iterator[str]:
        path = str(self._root / place.file)
        last = max(place.line, place.end_line or place.line)
        lines = [linecache.getline(path, number) for number in range(place.line, last + 1)]
        above = linecache.getline(path, place.line - 1).strip() if place.line > 1 else ""
        if above.startswith("#"):
            lines.append(above)
        for line in lines:
            for match in _COMMENT.finditer(line):
                yield from (word.strip() for word in match.group(1).split(",") if word.strip())


def _names(word: str, finding: Finding) -> bool:
    """Whether a word is the rule's code, its name, or a prefix of codes; "DBG" alone is none: it would hide all."""
    code = word.upper()
    is_code = code.startswith("DBG") and code[3:4].isdigit()
    return (is_code and finding.rule.startswith(code)) or word.lower() == finding.name
