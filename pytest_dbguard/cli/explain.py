"""`dbguard explain RULE`: a rule's documentation."""

from __future__ import annotations

from typing import Annotated

import typer


def explain(rule: Annotated[str, typer.Argument(help="code or name, such as DBG101 or n-plus-one")]) -> None:
    """Tell what a rule does, why, what to do instead, and its options."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.padding import Padding
    from rich.text import Text

    from pytest_dbguard.rules.documentation import code_of, sections
    from pytest_dbguard.rules.registry import find_rule

    found = find_rule(rule)
    console = Console(width=min(Console().width, 100), highlight=False)
    console.print(Text(f"{found.name} ({found.code})", style="bold"))
    console.print(f"severity {found.severity}, {found.stage}")
    for heading, text in sections(found).items():
        console.print()
        console.print(Text(heading, style="bold"))
        code = code_of(text)
        if code:
            # code is never wrapped or cut: it is there to be copied
            for line in code.splitlines():
                console.print(Text(f"  {line}"), soft_wrap=True)
        else:
            console.print(Padding(Markdown(text), (0, 0, 0, 2)))
