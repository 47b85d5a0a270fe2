"""Marks: what the text of a statement shows that a rule may object to, without any literal of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MarkKind(StrEnum):
    """What a mark says; each kind is made by the file of its name."""

    WIDE_SELECT = "wide select"
    UNBOUNDED_SELECT = "unbounded select"
    OFFSET = "offset"
    COUNT_COMPARISON = "count comparison"
    NOT_IN_SUBQUERY = "not in subquery"
    LEADING_WILDCARD = "leading wildcard"
    RANDOM_ORDER = "random order"
    UNORDERED_PAGE = "unordered page"
    NULL_COMPARISON = "null comparison"
    IN_LIST = "in list"
    DISTINCT_JOIN = "distinct join"
    NEGATED_OUTER_JOIN = "negated outer join"
    OR_ACROSS = "or across"


@dataclass(frozen=True, slots=True)
class LintMark:
    """One fact of a text.

    Attributes:
        kind: What it says.
        subject: What it is about, as the text names it without aliases: a table, `table.column`; "" for the statement.
        table: The base table, as written without quotes; "" where there is none or nobody can tell.
        schema: As written; "" without one.
        columns: Columns of that table.
        query: Number of the query it stands in, as `Scan.query` counts.
        alias: Of the scan it is about; "" for the query.
        number: An OFFSET, the length of a list; None for a parameter whose value nobody knows, and for other kinds.
        expression: SQL of what is marked, literals and parameters as `?`; for messages.
        rewrite: SQL of the same without the defect, literals and parameters as `?`; "" where that cannot be told.
        position: Offset in the text where it begins, in characters from 0; None where nobody can tell. A detector
            counts in the text that it gets; planning maps it to `Exemplar.text`, which is what rules find here and
            pass on as `Finding.position`.
        detail: A word that the kind defines, such as "*" or "not exists"; "" otherwise.
        other: What it is compared with, written as a subject; "" where it is no plain column.
    """

    kind: MarkKind
    subject: str = ""
    table: str = ""
    schema: str = ""
    columns: tuple[str, ...] = ()
    query: int = 0
    alias: str = ""
    number: int | None = None
    expression: str = ""
    rewrite: str = ""
    position: int | None = None
    detail: str = ""
    other: str = ""
