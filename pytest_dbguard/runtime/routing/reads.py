"""Tells statements that only read from all others: what it does not know may write."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import TextClause, TextualSelect
from sqlalchemy.orm import FromStatement
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.lambdas import StatementLambdaElement
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import iterate

from pytest_dbguard.runtime.routing.pure_functions import PURE_FUNCTIONS

# without a parenthesis a fragment calls no function and begins no subquery
_MAY_WRITE = re.compile(r"\(|;|\b(?:for|into)\b", re.IGNORECASE)
_ENDS_OTHERWISE = re.compile(r";|\b(?:for|into)\b", re.IGNORECASE)
_MOST_KEPT: Final = 512


class Reads:
    """Knows which statements only read. Safe to use from any thread.

    A read is a SELECT, also one of the ORM, without FOR UPDATE, without a CTE that writes, and without functions but
    those which are known to change nothing: `nextval` writes, `pg_advisory_lock` locks on one server only, and
    functions of the database's own may do anything. SQL text is none, since nobody reads it here; but pieces of text
    within a SELECT are, as long as they call nothing.
    """

    def __init__(self) -> None:
        self._trusted: dict[Any, bool] = {}
        self._untrusted: dict[Any, bool] = {}

    def is_read(self, statement: object, *, is_trusted: bool = False) -> bool:
        """Whether a statement only reads; the answer is kept by what SQLAlchemy keeps compiled statements by.

        Args:
            statement: What is to be executed.
            is_trusted: Whether whoever wrote it says so: then functions and text within it are taken for reads.
        """
        if isinstance(statement, StatementLambdaElement):
            statement = statement._resolved
        if isinstance(statement, FromStatement):
            statement = statement.element
        if not isinstance(statement, SelectBase) or isinstance(statement, TextualSelect):
            return is_trusted and isinstance(statement, TextClause | TextualSelect)
        test = _writes if is_trusted else _may_write
        key = statement._generate_cache_key()
        if key is None:
            return not any(map(test, iterate(statement)))
        kept = self._trusted if is_trusted else self._untrusted
        known = kept.get(key.key)
        if known is None:
            known = not any(map(test, iterate(statement)))
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[key.key] = known
        return known


def _writes(element: object) -> bool:
    return isinstance(element, UpdateBase) or getattr(element, "_for_update_arg", None) is not None


def _may_write(element: object) -> bool:
    if isinstance(element, FunctionElement):
        return not _is_pure(element)
    if isinstance(element, SelectBase):
        return isinstance(element, TextualSelect) or _writes(element) or _says_more(element)
    if isinstance(element, TextClause):
        return _MAY_WRITE.search(element.text) is not None
    if isinstance(element, ColumnClause):
        return element.is_literal and _MAY_WRITE.search(element.name) is not None
    return isinstance(element, Executable) and not element.is_select


def _is_pure(function: FunctionElement[Any]) -> bool:
    name = getattr(function, "name", None)
    if not isinstance(name, str) or any(package != "pg_catalog" for package in getattr(function, "packagenames", ())):
        return False
    return name.lower() in PURE_FUNCTIONS or name.lower().startswith("st_")


def _says_more(select: Any) -> bool:
    """Whether a SELECT holds pieces of text that are not among the elements it consists of, and that may write."""
    around = (*getattr(select, "_prefixes", ()), *getattr(select, "_suffixes", ()))
    hints = [hint for _, hint in getattr(select, "_statement_hints", ())]
    hints += getattr(select, "_hints", {}).values()
    return any(_MAY_WRITE.search(str(text)) for text, _ in around) or any(map(_ENDS_OTHERWISE.search, hints))
