"""Which lines an ignore comment covers, and which comments are mistakes."""

from __future__ import annotations

import textwrap

import pytest

from pytest_dbguard.analysis.ignore_comments import python_comments
from pytest_dbguard.core.directives import directives


def covered(source):
    """Return the lines that the comments of a source cover; 0 stands for the whole file."""
    found = python_comments(textwrap.dedent(source).lstrip("\n"))
    assert found.mistakes == []
    return [(0, 0) if comment.last is None else (comment.first, comment.last) for comment in found.comments]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("a.b  # dbguard: ignore[DBG101]\nc", [(1, 1)]),
        ("a\nf(\n    b,  # dbguard: ignore[DBG101]\n    c,\n)\nd", [(2, 5)]),
        ("f(\n    # dbguard: ignore[DBG101]\n    c,\n)\nd", [(1, 4)]),
        ("# dbguard: ignore[DBG101]\nf(\n    c,\n)\nd", [(2, 4)]),
        ("# dbguard: ignore[DBG101]\n# as they are few\nf()\nd", [(3, 3)]),
        ("# dbguard: ignore[DBG101]\n\nf()\n", [(1, 1)]),
        ("# dbguard: ignore[DBG101]\n\n# another thing\nf()\n", [(1, 1)]),
        ("x = (a\n     + \\\n     b)  # dbguard: ignore[DBG101]\n", [(1, 3)]),
        ('a = """\none\n"""  # dbguard: ignore[DBG101]\nb', [(1, 3)]),
        ("for a in b:  # dbguard: ignore[DBG101]\n    c\n    d\n", [(1, 1)]),
        ("for a in f(\n    b\n):  # dbguard: ignore[DBG101]\n    c\n    d\n", [(1, 3)]),
        ("for a in b:\n    # dbguard: ignore[DBG101]\n    c\n    d\n", [(3, 3)]),
        ("for a in b:\n    c\n    # dbguard: ignore[DBG101]\nd\n", [(4, 4)]),
        ("a\n# dbguard: ignore[DBG101]", [(2, 2)]),
        ("def f():\n    pass\n# dbguard: file-ignore[DBG101]\n", [(0, 0)]),
        ("a.b  # dbguard: file-ignore[DBG101]\n", [(0, 0)]),
        ("# dbguard: ignore[DBG101] one\na.b  # dbguard: ignore[DBG103] other\n", [(2, 2), (2, 2)]),
    ],
)
def test_the_whole_statement(source, lines):
    assert covered(source) == lines


@pytest.mark.parametrize(
    "source",
    [
        'a = "# dbguard: ignore[DBG101]"\n',
        '"""\n# dbguard: ignore[DBG101]\n"""\n',
        'a = f"{b} # dbguard: ignore[DBG101]"\n',
        "# the comment dbguard: ignore[DBG101] does that\n",
        "a  # see dbguard: ignore this\n",
        "a  # dbguard: max_queries = 1\n",
        "a  # dbguard: see[1]\n",
    ],
)
def test_what_is_no_comment_to_dbguard(source):
    assert covered(source) == []


def test_source_that_python_cannot_read():
    assert covered("a  # dbguard: ignore[DBG101]\nb = (\n") == [(1, 1)]
    assert covered("a  # dbguard: ignore[DBG101]\n$ = '\n") == [(1, 1)]


@pytest.mark.parametrize(
    ("comment", "message", "hint"),
    [
        ("# dbguard: ignore", "`ignore` names no rule and silences nothing", "write ignore[DBG101] and the reason"),
        ("# dbguard: ignore few rows", "`ignore` names no rule and silences nothing", "write ignore[DBG101]"),
        ("# dbguard: ignore[]", "`ignore` names no rule", "write ignore[DBG101]"),
        ("# dbguard: ignore[ , ]", "`ignore` names no rule", "write ignore[DBG101]"),
        ("# dbguard: ignore[DBG101 few rows", "`ignore[` is not closed", "write ignore[DBG101]"),
        ("# dbguard: ignroe[DBG101]", "unknown comment `dbguard: ignroe`", "did you mean 'ignore'?"),
        ("# dbguard: ignore[DBG10I]", "unknown rule 'DBG10I'", "did you mean 'DBG1"),
        ("# dbguard: ignore[n-plus-on]", "unknown rule 'n-plus-on'", "did you mean 'n-plus-one'?"),
        ("# dbguard: ignore[DBG101:]", "'DBG101:' names no subject", "DBG101:Order.customer"),
        ("# dbguard: ignore[:Order.items]", "':Order.items' names no rule", "RULE:SUBJECT"),
        ("# dbguard: ignore[ALL]", "'ALL' would hide every finding", "name the rules"),
        ("# dbguard: ignore[DBG]", "'DBG' would hide every finding", "name the rules"),
    ],
)
def test_mistakes(comment, message, hint):
    found = python_comments(f"a\nb  {comment}\n")
    assert found.comments == []
    [mistake] = found.mistakes
    assert mistake.line == 2
    assert mistake.message.startswith(message)
    assert hint in mistake.hint


def test_a_wrong_word_does_not_harm_the_others():
    found = python_comments("a  # dbguard: ignore[DBG101, DBG999]\n")
    assert [word.text for comment in found.comments for word in comment.words] == ["DBG101"]
    assert [mistake.text for mistake in found.mistakes] == ["DBG999"]


def test_file_ignore_in_a_function():
    found = python_comments("def f():\n    # dbguard: file-ignore[DBG101]\n    return 1\n")
    assert found.comments == []
    assert [mistake.message for mistake in found.mistakes] == [
        "`file-ignore` silences nothing inside of a function or class"
    ]


def test_directives_are_the_same_in_sql():
    assert [tuple(each) for each in directives("/* dbguard: ignore[DBG103, DBG1:a.b] few */")] == [
        ("ignore", ("DBG103", "DBG1:a.b"), True)
    ]
    assert [tuple(each) for each in directives("-- dbguard: ignore")] == [("ignore", None, False)]
