"""Reads rules' docstrings: the documentation that `dbguard explain` prints and the tests run."""

from __future__ import annotations

import inspect
import re

from pytest_dbguard.rules.base import Rule

HEADINGS = ("What it does", "Why is this bad?", "Example", "Use instead", "Options")
"""The headings that every rule's documentation has; "Limits" may follow."""


def documentation(rule: type[Rule]) -> str:
    """Return a rule's documentation as Markdown."""
    return inspect.cleandoc(rule.__doc__ or "")


def sections(rule: type[Rule]) -> dict[str, str]:
    """Return the texts of a rule's documentation by heading."""
    parts = re.split(r"^## (.+)\n", documentation(rule), flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def summary(rule: type[Rule]) -> str:
    """Return what a rule does, in its first sentence."""
    text = " ".join(sections(rule).get("What it does", "").split())
    return re.split(r"(?<=\w[.:]|`[.:]|\)[.:])\s", text, maxsplit=1)[0]


def code_of(text: str) -> str:
    """Return the Python code block in a section of the documentation; "" without one."""
    match = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    return match.group(1) if match else ""
