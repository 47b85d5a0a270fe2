"""`dbguard explain RULE`: what a rule does, why, and what to do instead."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class ExplainFormat(StrEnum):
    """Text for people, Markdown for documentation."""

    TEXT = "text"
    MARKDOWN = "markdown"


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="Code or name, such as DBG101 or n-plus-one.", show_default=False)
    ],
    output_format: Annotated[
        ExplainFormat, typer.Option(help="Text to read, or the Markdown source.")
    ] = ExplainFormat.TEXT,
) -> None:
    """Tell what a rule does, why, and what to do instead."""
    from pytest_dbguard.cli.markdown import print_markdown
    from pytest_dbguard.cli.output import standard_output
    from pytest_dbguard.rules.documentation import documentation
    from pytest_dbguard.rules.registry import find_rule

    found = find_rule(rule)
    title, is_found, body = documentation(found).partition("## ")
    text = is_found + body or title
    output = standard_output()
    if output_format is ExplainFormat.MARKDOWN:
        output.line(f"# {found.name} ({found.code})\n\n{text.rstrip()}")
        return
    output.line(output.style.paint(f"{found.name} ({found.code})", "bold"))
    output.line(f"severity {found.severity}, {found.stage}")
    output.line()
    print_markdown(text, output)
    output.line()
    output.paragraph(f"Options stand in [tool.dbguard.rules.{found.name}] of pyproject.toml.")
    output.paragraph(f"To accept one place, end its line with a comment: # dbguard: ignore[{found.code}] the reason")
