"""Reads the changes of one ALTER TABLE, and the column that it adds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.ddl_words import Words, column_names, joined
from pytest_dbguard.schema.migration import Step, StepKind
from pytest_dbguard.schema.type_changes import is_volatile_default
from pytest_dbguard.sql.tokens import Token

Place = Callable[[int], Site]
"""Gives the place of an offset in the script."""

_AFTER_TYPE = ("NOT", "NULL", "DEFAULT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED")
_AFTER_TYPE_TOO = ("COLLATE", "STORAGE", "COMPRESSION", "FIRST", "AFTER", "COMMENT", "AUTO_INCREMENT", "USING", "AS")
_CONSTRAINTS = ("CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE")
_NOT_NULL = re.compile(r"^\(*\s*([\w.\"]+)\s+IS\s+NOT\s+NULL\s*\)*$", re.IGNORECASE)
_WEAK = ("VALIDATE", "CLUSTER ON", "SET STATISTICS", "SET WITHOUT CLUSTER", "DETACH PARTITION")


def alter_steps(words: Words, place: Place) -> Iterator[Step]:
    """Yield what `ALTER TABLE` changes; `words` stands behind these two."""
    words.skip("IF", "EXISTS")
    words.skip("ONLY")
    table = words.name()
    words.skip("*")
    if not table:
        return
    for action in words.parts():
        site = place(action.offset)
        yield from (replace(step, table=step.table or table) for step in _action(action, site))


def _action(words: Words, site: Site) -> Iterator[Step]:
    if words.skip("ADD"):
        yield from _added(words, site)
    elif words.skip("DROP"):
        yield _dropped(words, site)
    elif words.skip("ALTER"):
        words.skip("COLUMN")
        yield _altered(words, words.name(), site)
    elif words.skip_any("MODIFY", "CHANGE"):
        yield Step(StepKind.OTHER, site, is_exclusive=True)
    elif words.skip("VALIDATE", "CONSTRAINT"):
        yield Step(StepKind.VALIDATE_CONSTRAINT, site, name=words.name())
    elif words.skip("RENAME", "TO"):
        yield Step(StepKind.RENAME_TABLE, site, name=words.name())
    else:
        said = words.rest()
        yield Step(StepKind.OTHER, site, is_exclusive=not said.startswith(_WEAK))


def _added(words: Words, site: Site) -> Iterator[Step]:
    if words.next in _CONSTRAINTS:
        step = constraint_step(words, site)
        if step is not None:
            yield step
        return
    words.skip("COLUMN")
    words.skip("IF", "NOT", "EXISTS")
    if words.next == "(":
        # MySQL and Oracle take several columns in parentheses
        for part in Words(words.parenthesis()).parts():
            yield from column_steps(part, site)
        return
    yield from column_steps(words, site)


def _dropped(words: Words, site: Site) -> Step:
    if words.skip("CONSTRAINT"):
        words.skip("IF", "EXISTS")
        return Step(StepKind.DROP_CONSTRAINT, site, name=words.name())
    words.skip("COLUMN")
    words.skip("IF", "EXISTS")
    return Step(StepKind.DROP_COLUMN, site, name=words.name())


def _altered(words: Words, column: str, site: Site) -> Step:
    words.skip("SET", "DATA")
    if words.skip("TYPE"):
        type_name = joined(words.until("COLLATE", "USING"))
        is_told = "USING" in words.rest().split()
        return Step(StepKind.ALTER_TYPE, site, name=column, type=type_name, has_using=is_told)
    if words.skip("SET", "NOT", "NULL"):
        return Step(StepKind.SET_NOT_NULL, site, name=column)
    is_weak = words.rest().startswith(("SET STATISTICS", "SET (", "RESET ("))
    return Step(StepKind.OTHER, site, name=column, is_exclusive=not is_weak)


def column_steps(words: Words, site: Site) -> Iterator[Step]:
    """Yield what a new column brings: itself, and the constraints that need a look at all rows."""
    name = words.name()
    if not name:
        return
    type_name = joined(words.until(*_AFTER_TYPE, *_AFTER_TYPE_TOO))
    says = _ColumnWords(words)
    has_default = says.default is not None or says.is_computed or bool(re.match(r"(?i)(small|big)?serial", type_name))
    yield Step(
        StepKind.ADD_COLUMN,
        site,
        name=name,
        type=type_name,
        is_nullable=not (says.is_not_null or says.is_primary),
        has_default=has_default,
        is_default_volatile=says.is_computed or is_volatile_default(says.default or "", type_name),
    )
    kinds = (("primary key", says.is_primary), ("unique", says.is_unique), ("check", says.is_checked and has_default))
    for constraint, is_there in (*kinds, ("foreign key", says.is_referring and has_default)):
        if is_there:
            yield Step(StepKind.ADD_CONSTRAINT, site, constraint=constraint, columns=(name,))


class _ColumnWords:
    """What stands behind the type of a column."""

    def __init__(self, words: Words) -> None:
        self.default: str | None = None
        self.is_not_null = self.is_primary = self.is_unique = self.is_checked = False
        self.is_referring = self.is_computed = False
        while not words.is_done:
            self._take(words)

    def _take(self, words: Words) -> None:
        if words.skip("NOT", "NULL"):
            self.is_not_null = True
        elif words.skip("PRIMARY", "KEY"):
            self.is_primary = True
        elif words.skip_any("UNIQUE"):
            self.is_unique = True
        elif words.skip("CHECK"):
            words.parenthesis()
            self.is_checked = True
        elif words.skip("REFERENCES"):
            words.name()
            words.parenthesis()
            words.skip("ON", "DELETE")
            self.is_referring = True
        elif words.skip("DEFAULT"):
            self._take_default(words)
        elif words.next in ("GENERATED", "AUTO_INCREMENT", "AS"):
            # a virtual column is computed when it is read
            self.is_computed = "VIRTUAL" not in words.rest().split()
            words.take()
        elif words.next == "(":
            words.parenthesis()
        else:
            words.take()

    def _take_default(self, words: Words) -> None:
        found = _expression(words)
        if [token.text.upper() for token in found] != ["NULL"]:
            self.default = " ".join("" if token.kind == "string" else token.text for token in found)


def _expression(words: Words) -> tuple[Token, ...]:
    """Pass over the expression of a default: up to the next word that begins a constraint."""
    if words.next == "NULL":
        return (words.take(),)
    return words.until(*_AFTER_TYPE, *_AFTER_TYPE_TOO[:-1])


def constraint_step(words: Words, site: Site) -> Step | None:
    """Return what a constraint of a table asks for; None for one that nobody knows."""
    name = words.name() if words.skip("CONSTRAINT") else ""
    is_valid = not re.search(r"\bNOT VALID\b|\bNOT ENFORCED\b", words.rest())
    if words.skip("CHECK"):
        columns = not_null_columns(joined(words.parenthesis()))
        return Step(StepKind.ADD_CONSTRAINT, site, name=name, constraint="check", columns=columns, is_valid=is_valid)
    if words.skip("NOT", "NULL"):
        return _not_null(words.name(), site, name, is_valid=is_valid)
    if words.skip("FOREIGN", "KEY"):
        return _of_columns(words, site, name, "foreign key", is_valid=is_valid)
    if words.skip("EXCLUDE"):
        return Step(StepKind.ADD_CONSTRAINT, site, name=name, constraint="exclude")
    kind = "primary key" if words.skip("PRIMARY", "KEY") else "unique" if words.skip("UNIQUE") else ""
    if not kind:
        return None
    words.skip("NULLS", "NOT", "DISTINCT")
    words.skip("NULLS", "DISTINCT")
    if words.skip("USING", "INDEX"):
        return Step(StepKind.ADD_CONSTRAINT, site, name=name, constraint=kind, has_index=True)
    return _of_columns(words, site, name, kind)


def _of_columns(words: Words, site: Site, name: str, kind: str, *, is_valid: bool = True) -> Step:
    if words.next != "(":
        words.name()
    columns = column_names(words.parenthesis())
    return Step(StepKind.ADD_CONSTRAINT, site, name=name, constraint=kind, columns=columns, is_valid=is_valid)


def _not_null(column: str, site: Site, name: str, *, is_valid: bool) -> Step:
    """Return what PostgreSQL 18's `NOT NULL column` asks for; NOT VALID it is what the check used to be."""
    if is_valid:
        return Step(StepKind.SET_NOT_NULL, site, name=column)
    return Step(StepKind.ADD_CONSTRAINT, site, name=name, constraint="check", columns=(column,), is_valid=False)


def not_null_columns(condition: str) -> tuple[str, ...]:
    """Return the column of which a condition says IS NOT NULL, and nothing else; () for others."""
    match = _NOT_NULL.match(condition.strip())
    return (match[1].replace('"', "").split(".")[-1],) if match else ()
