"""What detectors ask of a query's tree: the elements of its FROM, its branches, its LIMIT, whether it is negated."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg


def branches(query: exp.Expr | None) -> Iterator[exp.Select]:
    """Yield the SELECTs whose rows a query returns: one, or the branches of a UNION."""
    pending = [query]
    while pending:
        node = pending.pop()
        if isinstance(node, exp.Select):
            yield node
        elif isinstance(node, exp.SetOperation):
            pending += (node.expression, node.this)
        elif isinstance(node, exp.Subquery):
            pending.append(node.this)


def elements(select: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the tables, queries and functions in FROM, those of joins in parentheses too, in the order of the text."""
    source = arg(select, "from")
    pending = [join.this for join in reversed(select.args.get("joins") or [])]
    pending += [source.this] if source is not None else []
    while pending:
        node = pending.pop()
        pending += [join.this for join in reversed(node.args.get("joins") or [])]
        is_group = isinstance(node, exp.Subquery | exp.Paren) and isinstance(node.this, exp.Table | exp.Subquery)
        if is_group and not node.args.get("alias"):
            pending.append(node.this)
        else:
            yield node


def part_of_with(table: exp.Expr) -> exp.Expr | None:
    """Return the query of WITH that a table in FROM names; None for a table of the database."""
    if not isinstance(table, exp.Table) or table.args.get("db") is not None:
        return None
    around = list(_around(table))
    for node in around:
        found = arg(node, "with")
        for part in found.expressions if found is not None else ():
            if any(part is each for each in around):
                # it does not see itself, nor what stands behind it
                if found is not None and not found.args.get("recursive"):
                    break
            elif part.alias.lower() == table.name.lower():
                query: exp.Expr = part.this
                return query
    return None


def _around(node: exp.Expr | None) -> Iterator[exp.Expr]:
    while node is not None:
        yield node
        node = node.parent


def number_of(node: exp.Expr | None) -> int | None:
    """Return the number that a literal is, also within a cast; None for all else."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    is_number = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return int(node.name) if is_number and node is not None else None


def limit_of(query: exp.Expr) -> exp.Expr | None:
    """Return how many rows a query asks for, as an expression; None without a LIMIT, or where it is that of all."""
    limit = query.args.get("limit")
    if isinstance(limit, exp.Fetch):
        return limit.args.get("count") or exp.Literal.number(1)
    count = limit.args.get("expression") if limit is not None else None
    is_all = isinstance(count, exp.Null | exp.Neg) or (
        isinstance(count, exp.Expression) and count.name.upper() == "ALL"
    )
    return None if is_all else count


def is_negated(node: exp.Expr) -> bool:
    """Whether NOT stands before a condition, of which sqlglot's versions say so in two ways."""
    negated = bool(node.args.get("negate"))
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Not):
        negated ^= isinstance(parent, exp.Not)
        parent = parent.parent
    return negated


def filters(node: exp.Expr) -> bool:
    """Whether a condition decides which rows a query returns: it stands in WHERE, HAVING or ON, in no CASE."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Not | exp.Connector):
        parent = parent.parent
    return isinstance(parent, exp.Where | exp.Having | exp.Join)


def meant(key: exp.Expr, query: exp.Expr) -> exp.Expr:
    """Return what a key of ORDER BY stands for: the third of the list, or the one of that name."""
    items = query.expressions if isinstance(query, exp.Select) else []
    number = number_of(key)
    if number is not None:
        return items[number - 1].unalias() if 0 < number <= len(items) else key
    if isinstance(key, exp.Column) and key.args.get("table") is None:
        named = (item.this for item in items if isinstance(item, exp.Alias) and item.alias.lower() == key.name.lower())
        found: exp.Expr = next(named, key)
        return found
    return key
