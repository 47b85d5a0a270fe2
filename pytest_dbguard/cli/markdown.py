"""Print the Markdown that rules are documented in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_dbguard.cli.output import Output

_ITEM = re.compile(r"^[-*] ", re.MULTILINE)


def print_markdown(text: str, output: Output) -> None:
    """Print headings, paragraphs, lists and code; code is never wrapped or cut, it is there to be copied."""
    for number, block in enumerate(_blocks(text)):
        if number:
            output.line()
        _print_block(block, output)


def _blocks(text: str) -> Iterator[str]:
    """Yield headings, blocks of code, and paragraphs; a heading stays with what follows it."""
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        if not line.strip() and not in_code:
            if lines:
                yield "\n".join(lines)
            lines = []
        else:
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _print_block(block: str, output: Output) -> None:
    first, _, rest = block.partition("\n")
    if first.startswith("#"):
        output.line(output.style.paint(first.lstrip("# "), "bold"))
        if rest:
            _print_block(rest, output)
    elif first.startswith("```"):
        for line in rest.removesuffix("```").rstrip().splitlines():
            output.line(f"    {line}".rstrip())
    elif _ITEM.match(first):
        for item in _ITEM.split(block)[1:]:
            output.paragraph(item, indent="    ", first="  - ")
    else:
        output.paragraph(block, indent="  ")
