"""Reads the steps of SQL that changes a schema: of whole files, and of what migrations execute."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.ddl_alter import Place, alter_steps
from pytest_dbguard.linting.ddl_words import Words, column_names, ddl_statements
from pytest_dbguard.schema.migration import Migration, Step, StepKind
from pytest_dbguard.sql.tokens import Token

_DOWN = re.compile(r"(?im)^\s*--\s*(\+goose\s+down|\+migrate\s+down|migrate:down|//@undo|@?undo\b|rollback:?\s*$)")
_UP = re.compile(r"(?im)^\s*--\s*(\+goose\s+up|\+migrate\s+up|migrate:up)\b")
_NO_TRANSACTION = re.compile(r"(?im)^\s*--.*\b(no[- ]?transaction|transaction:\s*false|disable-transaction)\b")
_DOWN_FILE = re.compile(r"(^|[/._-])(down|undo|rollback|revert)\.sql$|/U\d[\d._]*__[^/]*\.sql$", re.IGNORECASE)
_DDL = re.compile(r"(?i)\b(create|alter|drop|truncate|cluster|lock\s+table)\b")
_TEMPLATE = re.compile(r"\{%-?\s*\w+.*?%\}", re.DOTALL)
_SCHEMA = r"schema|structure|tables|ind(?:ex|ic)es|ddl|init(?:db)?|setup|install|bootstrap"
_SCHEMA_FILE = re.compile(rf"(?:^|/)(?:[a-z_-]+[_-])?(?:{_SCHEMA})\.\w+$", re.IGNORECASE)
"""Files that make a schema for an application that does not run yet, whose tables nobody uses."""
_DIALECTS = (
    (
        "postgresql",
        re.compile(r"(?i)::|\b(big)?serial\b|\bjsonb\b|\btimestamptz\b|\bconcurrently\b|\bbytea\b|\bplpgsql\b"),
    ),
    ("postgresql", re.compile(r"(?i)\bcreate\s+extension\b|\bgen_random_uuid\b|\bpg_catalog\b|\bset\s+data\s+type\b")),
    ("mysql", re.compile(r"(?i)`|\bengine\s*=|\bauto_increment\b|\bunsigned\b|\bmodify\s+column\b")),
    ("sqlite", re.compile(r"(?i)\bautoincrement\b|\bpragma\b|\bwithout\s+rowid\b|\bsqlite_master\b")),
    ("clickhouse", re.compile(r"(?i)\bcodec\s*\(|mergetree\b|\bon\s+cluster\b|\blowcardinality\s*\(")),
    ("oracle", re.compile(r"(?i)\bn?varchar2\b|\bnumber\s*\(")),
    ("mssql", re.compile(r"(?im)\bnvarchar\b|^\s*go\s*$|\[dbo\]|\bidentity\s*\(\s*\d")),
)


_PATHS: Mapping[str, str] = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "pgsql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "mssql": "mssql",
    "sqlserver": "mssql",
    "oracle": "oracle",
    "clickhouse": "clickhouse",
}
"""Names of directories and files that tell the dialect."""


def sql_migration(text: str, path: str, *, dialect: str = "") -> Migration:
    """Return what a SQL file changes; without steps where it holds no DDL, undoes a migration, or is no migration.

    None is a template, whose text is not known, and a file like `schema.sql`, which makes what was not there.

    What follows the mark of a way back (`-- +goose Down`, `-- migrate:down`) is not read. Whether a tool runs the
    file in one transaction is told by its marks, else by BEGIN in the file.

    Args:
        text: Of the file.
        path: Relative to the root, with "/".
        dialect: Where it is known; else the words of the file tell, "" where they do not.
    """
    up = _DOWN.split(text, maxsplit=1)[0]
    is_other = _DOWN_FILE.search(path) or _SCHEMA_FILE.search(path) or _TEMPLATE.search(up)
    if is_other or not _DDL.search(up):
        return Migration(path, dialect)
    in_transaction = bool(_UP.search(up)) and not _NO_TRANSACTION.search(up)
    steps = tuple(sql_steps(up, line_places(up, path), in_autocommit=not in_transaction))
    return Migration(path, dialect or dialect_in_path(path) or dialect_of(up), steps)


def dialect_in_path(path: str) -> str:
    """Return the dialect after which a directory or file is named: `sqlite/2f6a.py`, `2f6a_postgres.sql`; else ""."""
    *directories, file = path.lower().split("/")
    last = re.split(r"[_.-]", file.rpartition(".")[0].removesuffix(".up"))[-1]
    return next((_PATHS[part] for part in (*directories, last) if part in _PATHS), "")


def dialect_of(text: str) -> str:
    """Return the dialect that the words of a script tell; "" where several or none do."""
    found = {dialect for dialect, pattern in _DIALECTS if pattern.search(text)}
    return found.pop() if len(found) == 1 else ""


def line_places(text: str, path: str) -> Callable[[int], Site]:
    """Return what gives the place of an offset in the text of a file."""
    starts = [0, *(match.end() for match in re.finditer(r"\n", text))]

    def place(offset: int) -> Site:
        line = bisect_right(starts, offset)
        return Site(path, line, offset - starts[line - 1] + 1)

    return place


@dataclass(slots=True)
class _Transaction:
    """Whether what comes next runs in a transaction."""

    in_autocommit: bool

    def follow(self, words: Words) -> bool:
        """Take a statement that begins or ends one; return whether it does."""
        if words.skip("BEGIN") or words.skip("START", "TRANSACTION"):
            self.in_autocommit = False
        elif words.next in ("COMMIT", "ROLLBACK", "END", "ABORT") and not words.rest().startswith("ROLLBACK TO"):
            self.in_autocommit = True
        else:
            return False
        return True


def sql_steps(text: str, place: Place, *, in_autocommit: bool = False) -> Iterator[Step]:
    """Yield the steps of one or more statements.

    Args:
        text: The SQL.
        place: Gives the place of an offset in it.
        in_autocommit: Whether it begins outside of a transaction; BEGIN and COMMIT in it change that.
    """
    transaction = _Transaction(in_autocommit)
    for found in ddl_statements(text):
        if transaction.follow(Words(found)):
            continue
        for step in statement_steps(found, place):
            yield replace(step, in_autocommit=True) if transaction.in_autocommit else step


def statement_steps(found: Sequence[Token], place: Place) -> Iterator[Step]:
    """Yield the steps of one statement."""
    words, site = Words(found), place(found[0].offset)
    verb = words.next
    if verb == "ALTER":
        words.take()
        yield from _altered(words, site, place)
    elif verb == "CREATE":
        words.take()
        yield from _created(words, site)
    elif verb == "DROP":
        words.take()
        yield from _dropped(words, site)
    elif verb in ("SET", "SELECT"):
        yield from _settings(words, site, found)
    elif verb in ("DELETE", "TRUNCATE"):
        yield from _emptied(words, site)
    elif verb in ("LOCK", "CLUSTER") or words.rest().startswith("VACUUM FULL"):
        words.take()
        words.skip("TABLE")
        words.skip("ONLY")
        names, said = words.names(), words.rest()
        # LOCK TABLE names a mode, where it is not the strongest
        is_exclusive = not said.startswith("IN ") or "ACCESS EXCLUSIVE" in said
        yield from (Step(StepKind.OTHER, site, table=name, is_exclusive=is_exclusive) for name in names)


def _altered(words: Words, site: Site, place: Place) -> Iterator[Step]:
    words.skip("FOREIGN")
    if words.skip("TABLE"):
        yield from alter_steps(words, place)


def _created(words: Words, site: Site) -> Iterator[Step]:
    words.skip("OR", "REPLACE")
    words.skip_any("GLOBAL", "LOCAL")
    words.skip_any("TEMP", "TEMPORARY", "UNLOGGED")
    if words.skip("TABLE") or words.skip("MATERIALIZED", "VIEW") or words.skip("FOREIGN", "TABLE"):
        words.skip("IF", "NOT", "EXISTS")
        yield Step(StepKind.CREATE_TABLE, site, table=words.name())
        return
    is_unique = words.skip("UNIQUE")
    if words.skip("INDEX"):
        yield _index(words, site, is_unique=is_unique)


def _index(words: Words, site: Site, *, is_unique: bool) -> Step:
    is_concurrent = words.skip("CONCURRENTLY")
    words.skip("IF", "NOT", "EXISTS")
    name = "" if words.next == "ON" else words.name()
    words.skip("ON")
    # an index on a partitioned table alone is an empty one
    is_empty = words.skip("ONLY")
    table = words.name()
    if words.skip("USING"):
        words.name()
    columns = column_names(words.parenthesis())
    kind = StepKind.OTHER if is_empty else StepKind.CREATE_INDEX
    constraint = "unique" if is_unique else ""
    return Step(kind, site, table, name, is_concurrent=is_concurrent, columns=columns, constraint=constraint)


def _dropped(words: Words, site: Site) -> Iterator[Step]:
    if words.skip("TABLE") or words.skip("MATERIALIZED", "VIEW"):
        words.skip("IF", "EXISTS")
        yield from (Step(StepKind.DROP_TABLE, site, table=name) for name in words.names())
    elif words.skip("INDEX"):
        is_concurrent = words.skip("CONCURRENTLY")
        words.skip("IF", "EXISTS")
        names = words.names()
        table = words.name() if words.skip("ON") else ""
        yield from (Step(StepKind.DROP_INDEX, site, table, name, is_concurrent=is_concurrent) for name in names)


def _emptied(words: Words, site: Site) -> Iterator[Step]:
    """Yield the tables that lose all of their rows."""
    is_truncated = words.skip("TRUNCATE")
    if is_truncated or words.skip("DELETE", "FROM"):
        words.skip("TABLE")
        words.skip("ONLY")
        names = words.names()
        if is_truncated or not {"WHERE", "USING"} & set(words.rest().split()):
            yield from (Step(StepKind.EMPTY_TABLE, site, name, is_exclusive=is_truncated) for name in names)


def _settings(words: Words, site: Site, found: Sequence[Token]) -> Iterator[Step]:
    """Yield the timeouts that SET, or `SELECT set_config(...)`, gives."""
    if words.skip("SELECT"):
        names = [token.text.strip("'") for token in found[:6] if token.kind == "string"]
        if words.name().lower().endswith("set_config") and names and names[0].endswith("_timeout"):
            yield Step(StepKind.SET_TIMEOUT, site, name=names[0])
        return
    words.skip("SET")
    words.skip_any("LOCAL", "SESSION")
    name = words.name().lower()
    words.skip_any("=", "TO")
    value = words.next.strip("'").lower()
    if name.endswith("_timeout") and value not in ("", "0", "0s", "0ms", "default"):
        yield Step(StepKind.SET_TIMEOUT, site, name=name)
