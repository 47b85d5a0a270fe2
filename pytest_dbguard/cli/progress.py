"""A bar on standard error that tells how far a search is, on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]

_STAGES = {"plans": ("asking for plans", 0.0, 0.7), "search": ("searching", 0.7, 1.0)}


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give what is told a stage and the share of it that is over; the bar is gone in the end."""
    if not sys.stderr.isatty():
        yield lambda _stage, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading statements", total=1.0)

        def progress(stage: str, share: float) -> None:
            text, start, end = _STAGES.get(stage, (stage, 0.0, 1.0))
            bar.update(task, description=text, completed=start + (end - start) * share)

        yield progress
