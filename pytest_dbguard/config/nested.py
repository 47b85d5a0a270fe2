"""Turn the tables `[tool.dbguard.baseline]` and `[tool.dbguard.report]` into the values that `Config` knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from pytest_dbguard.config.model import Text
from pytest_dbguard.config.problems import Problem, quote
from pytest_dbguard.config.table import check_table, dotted_key


class BaselineTable(BaseModel):
    """The table `[tool.dbguard.baseline]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Text | None = None
    """File of accepted findings, relative to the root directory; "none" judges everything."""


def baseline_text(table: Mapping[str, Any], place: str, key: str, problems: list[Problem]) -> dict[str, Any]:
    """Return the baseline's path, if the table gives one; add what is wrong to `problems`."""
    baseline, wrong = check_table(BaselineTable, table, place=place, key=key)
    problems.extend(wrong)
    return {} if baseline is None or baseline.path is None else {"baseline": baseline.path}


def report_texts(table: Mapping[str, Any], place: str, key: str, problems: list[Problem]) -> dict[str, Any]:
    """Return the reports as `TYPE:DEST`; true means the usual destination, false leaves a report out."""
    reports: list[str] = []
    for kind, destination in table.items():
        match destination:
            case True:
                reports.append(kind)
            case False:
                continue
            case str() if destination:
                reports.append(f"{kind}:{destination}")
            case _:
                message = f"expected a path, true or false, not {quote(destination)}"
                problems.append(Problem(place, dotted_key(key, kind), message))
    return {"report": reports}
