"""Marks `SELECT *` where all columns of a table are returned, and the columns that a statement returns by name."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan
from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.scans import Leaf
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.narrowing import is_system
from pytest_dbguard.sql.lint.queries import branches, elements, limit_of, number_of, part_of_with
from pytest_dbguard.sql.lint.text import LintedText


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each star whose columns the statement returns, and for each table that it returns columns of.

    Of a star `detail` is "*", `expression` names all tables it stands for, and `rewrite` their columns where they are
    known; else `detail` is "columns" and `columns` has them.
    """
    if not isinstance(text.tree, exp.Query) or _compares(text):
        return
    pending = [select for select in branches(text.tree) if not _returns_nothing(select)]
    seen: set[int] = set()
    while pending:
        select = pending.pop(0)
        if id(select) in seen:
            continue
        seen.add(id(select))
        for item in select.expressions:
            if _is_star(item):
                meant = list(_meant(text, select, item))
                tables = [scan for leaf in meant if (scan := _table(text, leaf)) is not None]
                if tables:
                    yield _of_star(text, select, item, tables)
                pending += _inner(text, select, meant)
        yield from _of_columns(text, select)


def _compares(text: LintedText) -> bool:
    """Whether rows of tables are compared, for which all of their columns are wanted."""
    return any(True for _ in text.all(exp.Except, exp.Intersect))


def _returns_nothing(select: exp.Select) -> bool:
    """Whether only the names of the columns are asked for."""
    where = select.args.get("where")
    never = where is not None and isinstance(where.this, exp.Boolean) and not where.this.this
    return never or number_of(limit_of(select)) == 0


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _meant(text: LintedText, select: exp.Select, item: exp.Expr) -> Iterator[Leaf]:
    """Yield the elements of FROM that a star stands for."""
    scope = text.scope(select)
    if scope is not None and isinstance(item, exp.Column):
        leaf = scope.by_alias(item)
        yield from () if leaf is None else (leaf,)
    elif scope is not None:
        yield from scope.leaves.values()


def _table(text: LintedText, leaf: Leaf) -> Scan | None:
    scan = text.scan(leaf.scan) if leaf.scan is not None else None
    return None if scan is None or is_system(scan) else scan


def _inner(text: LintedText, select: exp.Select, meant: list[Leaf]) -> list[exp.Select]:
    """Return the queries in FROM, or in WITH, whose columns a star passes on."""
    aliases = {text.names.key(leaf.alias) for leaf in meant if leaf.scan is None}
    found: list[exp.Select] = []
    for element in elements(select):
        if text.names.key(text.names.name(_alias(element))) in aliases:
            query = part_of_with(element) if isinstance(element, exp.Table) else element.this
            found += branches(query if isinstance(query, exp.Query) else None)
    return found


def _alias(element: exp.Expr) -> exp.Expr | None:
    alias = element.args.get("alias")
    named: exp.Expr | None = alias.this if isinstance(alias, exp.TableAlias) else element.args.get("this")
    return named if isinstance(named, exp.Identifier) else None


def _of_star(text: LintedText, select: exp.Select, item: exp.Expr, tables: list[Scan]) -> LintMark:
    first = tables[0]
    return LintMark(
        MarkKind.WIDE_SELECT,
        subject=first.table,
        table=first.table,
        schema=first.schema,
        query=text.query(select),
        alias=first.alias,
        expression=", ".join(dict.fromkeys(scan.table for scan in tables)),
        rewrite=_listed(text, tables),
        position=text.position(item),
        detail="*",
    )


def _listed(text: LintedText, tables: list[Scan]) -> str:
    """Return the columns that a star stands for; "" where they are not known."""
    names: list[str] = []
    for scan in tables:
        known = text.names.columns_of(scan.table, scan.schema)
        if known is None:
            return ""
        prefix = f"{scan.alias}." if len(tables) > 1 else ""
        names += (f"{prefix}{name}" for name in known.values())
    return ", ".join(names)


def _of_columns(text: LintedText, select: exp.Select) -> Iterator[LintMark]:
    """Yield a mark for each table of an outermost query with the columns of it that are returned as they are."""
    if select.args.get("group") is not None or arg(select, "from") is None:
        return
    columns: dict[tuple[str, int], dict[str, None]] = {}
    for item in select.expressions:
        found = text.column(item.unalias())
        ref = found.plain if found is not None else None
        if ref is not None:
            columns.setdefault((ref.scan.alias, ref.scan.query.number), {})[ref.column] = None
    for (alias, query), names in columns.items():
        scan = text.facts.scan(alias, query)
        if scan is not None:
            yield LintMark(
                MarkKind.WIDE_SELECT,
                subject=scan.table,
                table=scan.table,
                schema=scan.schema,
                columns=tuple(names),
                query=query,
                alias=alias,
                detail="columns",
            )
