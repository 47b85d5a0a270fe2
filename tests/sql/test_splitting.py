"""Where the statements of a script begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.sql.splitting import script_parts, split_script


def statements(text):
    return [text[part.start : part.end] for part in script_parts(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ;;\n-- nothing\n", []),
        ("SELECT 1; -- a;\n/* x; /* y; */ ; */ SELECT 2\n", ["SELECT 1", "SELECT 2"]),
        (
            "SELECT ';', \";\", E'\\';', $$;$$, $a$ ; $$ $a$;SELECT 2",
            ["SELECT ';', \";\", E'\\';', $$;$$, $a$ ; $$ $a$", "SELECT 2"],
        ),
        ("SELECT 'C:\\';SELECT 2", ["SELECT 'C:\\'", "SELECT 2"]),
        ("SELECT `a`, 'it\\'s; ' # x;\n;SELECT 2", ["SELECT `a`, 'it\\'s; ' # x;", "SELECT 2"]),
        (
            "BEGIN; UPDATE a SET b = 1; COMMIT; BEGIN TRANSACTION; END",
            ["BEGIN", "UPDATE a SET b = 1", "COMMIT", "BEGIN TRANSACTION", "END"],
        ),
        ("SELECT CASE WHEN a THEN 1 END; SELECT 2", ["SELECT CASE WHEN a THEN 1 END", "SELECT 2"]),
    ],
)
def test_statements_end_at_semicolons_of_their_own(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    "body",
    [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 2 END; END",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN 1; END $f$",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = 1; DELETE FROM d; END",
        "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN b THEN 1 END; END",
        "CREATE DEFINER=me PROCEDURE p() BEGIN IF a THEN SELECT 1; END IF; CASE x WHEN 1 THEN SELECT 1; END CASE; END",
        "CREATE RULE r AS ON INSERT TO a DO ALSO (INSERT INTO b VALUES (1); DELETE FROM c)",
        "BEGIN\n  DELETE FROM a; END",
    ],
)
def test_bodies_stay_whole(body):
    assert statements(f"{body};\nSELECT 2;") == [body, "SELECT 2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\set a 'b;c'\n\\i other.sql\nSELECT 1;", ["SELECT 1"]),
        ("SELECT 'DROP TABLE a' \\gexec\nSELECT 2;", ["SELECT 'DROP TABLE a'", "SELECT 2"]),
        (".mode csv\nSELECT 1;\n.quit\n", ["SELECT 1"]),
        ("SELECT 1\nGO\nSELECT 2\ngo 5\n", ["SELECT 1", "SELECT 2"]),
        ("COPY a (b) FROM stdin;\n1\t';\n2\n\\.\nSELECT 1;", ["COPY a (b) FROM stdin", "SELECT 1"]),
        ("COPY a (b) FROM stdin;\n1\t';", ["COPY a (b) FROM stdin"]),
        ("COPY a FROM 'file';SELECT 1", ["COPY a FROM 'file'", "SELECT 1"]),
        (
            "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nSELECT 2;",
            ["CREATE PROCEDURE p() BEGIN SELECT 1; END", "SELECT 2"],
        ),
    ],
)
def test_commands_of_shells_are_no_statements(text, expected):
    assert statements(text) == expected


def test_names_stand_in_comments_and_end_what_has_no_semicolon():
    text = "SELECT 0;\n-- name: get-user :one\n-- Returns one.\nSELECT 1\n-- name: all_users\nSELECT 2;\nSELECT 3;\n"
    assert [part.name for part in script_parts(text)] == ["", "get-user", "all_users", ""]
    assert statements(text)[1] == "SELECT 1"


@pytest.mark.parametrize("comment", ["-- name: find", "--name:find", "/* name: find :many */", "-- :name find :one"])
def test_headers_of_names(comment):
    assert [part.name for part in script_parts(f"{comment}\nSELECT 1")] == ["find"]


def test_a_comment_about_names_names_nothing():
    assert [part.name for part in script_parts("SELECT a -- name of the user\nFROM b")] == [""]


def test_parentheses_that_never_close_hide_no_further_statements():
    assert statements("SELECT (1; SELECT 2; SELECT ')';") == ["SELECT (1", "SELECT 2", "SELECT ')'"]


@pytest.mark.parametrize("text", ["SELECT 'a; SELECT 1;", 'SELECT "a; b', "SELECT $$a;", "SELECT 1 /* a;"])
def test_what_never_closes_is_told(text):
    (part,) = script_parts(text)
    assert not part.is_closed


def test_comments_are_listed_once_and_in_order():
    text = "-- a\nSELECT (1 /* b */;\nSELECT '-- c';-- d\n"
    assert [text[start:end] for start, end in split_script(text).comments] == ["-- a", "/* b */", "-- d"]


PIECES = st.sampled_from(
    ["SELECT", "'", '"', "$$", ";", "(", ")", "--", "/*", "*/", "\n", "a", "`", "\\g", "BEGIN", "END"]
)


@given(st.lists(PIECES).map(" ".join))
def test_parts_lie_in_order_within_the_text(text):
    end = 0
    for part in script_parts(text):
        assert end <= part.start < part.end <= len(text)
        assert text[part.start : part.end].strip() == text[part.start : part.end]
        end = part.end
