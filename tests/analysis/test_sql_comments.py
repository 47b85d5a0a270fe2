"""Which lines of a SQL file an ignore comment covers, and which comments are mistakes."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignores import InlineIgnores
from pytest_dbguard.analysis.sql_comments import sql_comments
from pytest_dbguard.core.findings import Finding, Severity, Site


def covered(text):
    """Return the lines that the comments of a text cover; 0 stands for the whole file."""
    found = sql_comments(text)
    assert found.mistakes == []
    return [(0, 0) if comment.last is None else (comment.first, comment.last) for comment in found.comments]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("SELECT 1; -- dbguard: ignore[DBG203]\nSELECT 2;", [(1, 1)]),
        ("SELECT *\nFROM a -- dbguard: ignore[DBG203]\nWHERE b;\nSELECT 2;", [(1, 3)]),
        ("SELECT *\nFROM a\nWHERE b; /* dbguard: ignore[DBG203] few */\nSELECT 2;", [(1, 3)]),
        ("-- dbguard: ignore[DBG203]\nSELECT *\nFROM a;\nSELECT 2;", [(2, 3)]),
        ("SELECT 1;\n-- dbguard: ignore[DBG203]\n-- as they are few\n/* and\n so on */\nSELECT *\nFROM a;", [(6, 7)]),
        ("-- dbguard: ignore[DBG203]\n\nSELECT 2;", [(1, 1)]),
        ("-- name: all_users\n-- dbguard: ignore[DBG203]\nSELECT *\nFROM users", [(3, 4)]),
        ("SELECT 1\n-- dbguard: ignore[DBG203]", [(1, 2)]),
        ("SELECT 1;\n-- dbguard: ignore[DBG203]", [(2, 2)]),
        ("SELECT 1; SELECT\n2; -- dbguard: ignore[DBG203]", [(1, 2)]),
        ("-- dbguard: file-ignore[DBG203]\nSELECT 1;", [(0, 0)]),
        ("SELECT 1 # dbguard: ignore[DBG203]\nFROM `a`;", [(1, 2)]),
        ("SELECT /* dbguard: ignore[DBG203] */ 1;\r\nSELECT 2;\r\n", [(1, 1)]),
        ("SELECT '-- dbguard: ignore[DBG203]';", []),
        ("DO $$ -- dbguard: ignore[DBG203]\n$$;", []),
        ("-- the comment dbguard: ignore[DBG203] does that\nSELECT 1;", []),
    ],
)
def test_the_whole_statement(text, lines):
    assert covered(text) == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1; -- dbguard: ignore", "`ignore` names no rule and silences nothing"),
        ("SELECT 1; -- dbguard: ignore[DBG203", "`ignore[` is not closed and silences nothing"),
        ("SELECT 1; -- dbguard: ingore[DBG203]", "unknown comment `dbguard: ingore`"),
        ("SELECT 1; -- dbguard: file-ignore[DBG203]", "`file-ignore` silences nothing inside of a function or class"),
    ],
)
def test_mistakes(text, message):
    found = sql_comments(text)
    assert found.comments == []
    assert [(mistake.line, mistake.message) for mistake in found.mistakes] == [(1, message)]


def test_ignores_read_sql_files_by_their_statements(tmp_path):
    (tmp_path / "orders.sql").write_text("-- dbguard: ignore[DBG203]\nSELECT *\nFROM orders;\nSELECT * FROM items;\n")
    ignores = InlineIgnores(tmp_path)
    silent = [
        ignores.silences(Finding("DBG203", "unusable-index", Severity.NOTE, "orders", "m", Site("orders.sql", line)))
        for line in (2, 3, 4)
    ]
    assert silent == [True, True, False]
