"""Reads where statements run what the source shows of them: how they are called, and what becomes of the result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytest_dbguard.analysis.call_uses import methods_and_use
from pytest_dbguard.analysis.interpolated import interpolated_value
from pytest_dbguard.analysis.made_statements import making_of
from pytest_dbguard.analysis.source_trees import SourceTree, read_source
from pytest_dbguard.core.findings import Site
from pytest_dbguard.planning.workload import Call, Use, Workload


def calls_of(workload: Workload, root: Path) -> Workload:
    """Return a workload whose uses know their calls, as far as their sources can be read. Never raises.

    A call that is known already stays.

    Args:
        workload: Its sites are those of the call that sends the statement, or of the statement's text.
        root: The directory that sites are relative to.
    """
    return CallSites(root).of(workload)


class CallSites:
    """Reads sources, each once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trees: dict[str, SourceTree | None] = {}

    def of(self, workload: Workload) -> Workload:
        """Return a workload whose uses know their calls."""
        statements = (replace(each, uses=tuple(self._uses(each.uses))) for each in workload.statements)
        return replace(workload, statements=tuple(statements))

    def call(self, site: Site) -> Call | None:
        """Return what stands at a place; None where the source cannot be read, or no call stands there."""
        if site.file not in self._trees:
            self._trees[site.file] = read_source(self._root / site.file)
        tree = self._trees[site.file]
        if tree is None:
            return None
        try:
            found = tree.call_at(site)
            if found is None:
                return None
            methods, used_as = methods_and_use(found, tree)
            methods = (*(word for word in making_of(found, tree) if word not in methods), *methods)
            return Call(methods, used_as, interpolated_value(found, tree))
        except RecursionError:
            return None

    def _uses(self, uses: Iterable[Use]) -> Iterable[Use]:
        for use in uses:
            is_known = use.call is not None or use.site is None
            yield use if is_known or use.site is None else replace(use, call=self.call(use.site))
