"""Ignore comments: on the finding's lines or alone above them, for the rules they name."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignores import InlineIgnores
from pytest_dbguard.core.findings import Finding, Severity, Site


@pytest.fixture
def silences(tmp_path):
    """A function that tells whether a finding at a line (to an end line) of the text is silenced."""

    def ask(text, line, end_line=None, field="site", rule="DBG101", name="n-plus-one"):
        path = tmp_path / "shop.py"
        path.write_text(text)
        site = Site("shop.py", line, end_line=end_line)
        finding = Finding(rule, name, Severity.ERROR, "Order.items", "message", **{field: site})
        return InlineIgnores(tmp_path).silences(finding)

    return ask


@pytest.mark.parametrize("field", ["site", "origin", "loop"])
def test_on_the_line(silences, field):
    text = "a\nb  # dbguard: ignore[DBG101] few rows\nc\n"
    assert silences(text, 2, field=field)
    assert not silences(text, 1, field=field)
    assert not silences(text, 3, field=field)


def test_alone_on_the_line_above(silences):
    text = "a\n    # dbguard: ignore[DBG101] few rows\n    b\nc\n"
    assert silences(text, 3)
    assert not silences(text, 4)


def test_behind_code_on_the_line_above_is_that_lines(silences):
    assert not silences("a  # dbguard: ignore[DBG101]\nb\n", 2)


def test_anywhere_in_a_statement_of_several_lines(silences):
    text = "a = (\n    b\n    .c()  # dbguard: ignore[DBG101]\n)\nd\n"
    assert silences(text, 1, 4)
    assert silences(text, 3)
    assert silences(text, 1, 2)
    assert not silences(text, 5)


@pytest.mark.parametrize(
    "words",
    ["DBG101", "dbg101", "DBG103, DBG101", "DBG103,DBG101", " DBG101 ", "DBG1", "n-plus-one", "N-Plus-One"],
)
def test_words_that_name_the_rule(silences, words):
    assert silences(f"a  # dbguard: ignore[{words}] reason\n", 1)


@pytest.mark.parametrize(
    "words", ["DBG", "D", "DBG103", "DBG10X", "DBG1011", "", ",", "n-plus", "statement-in-loop", "DBG2, DBG9"]
)
def test_words_that_name_others(silences, words):
    assert not silences(f"a  # dbguard: ignore[{words}] reason\n", 1)


@pytest.mark.parametrize(
    "comment",
    [
        "# dbguard:ignore[DBG101]",
        "#dbguard: ignore [DBG101] reason",
        "# noqa: E501  # dbguard: ignore[DBG101]",
        "# type: ignore[misc]  # dbguard: ignore[DBG101] reason  # more",
        "# dbguard: ignore[DBG103] one  # dbguard: ignore[DBG101] other",
    ],
)
def test_ways_to_write_it(silences, comment):
    assert silences(f"a  {comment}\n", 1)


@pytest.mark.parametrize(
    "comment", ["# ignore[DBG101]", "# dbguard ignore DBG101", "# noqa: DBG101", "# dbguard: ignore"]
)
def test_other_comments(silences, comment):
    assert not silences(f"a  {comment}\n", 1)


def test_a_finding_without_places_and_a_file_that_is_gone(silences, tmp_path):
    finding = Finding("DBG901", "query-budget", Severity.ERROR, "t", "message")
    assert not InlineIgnores(tmp_path).silences(finding)
    assert not silences("", 7)
    gone = Finding("DBG101", "n-plus-one", Severity.ERROR, "x", "message", site=Site("gone.py", 1))
    assert not InlineIgnores(tmp_path).silences(gone)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("<ul>\n{# dbguard: ignore[DBG101] few #}{{ a.b }}\n{{ a.b }}\n", [2]),
        ("<ul>\n  {# dbguard: ignore[DBG101] few #}\n{{ a.b }}\n{{ a.b }}", [2, 3]),
        ("<ul>\n<!-- dbguard: ignore[DBG101] -->\n{{ a.b }}\n{{ a.b }}", [2, 3]),
        ("<ul>\n## dbguard: ignore[DBG101]\n${a.b}\n${a.b}", [2, 3]),
        ("<ul>\ndbguard: ignore[DBG101]\n${a.b}\n", []),
        ("{# dbguard: file-ignore[DBG101] #}\n${a.b}", [1, 2]),
    ],
)
def test_templates(tmp_path, text, lines):
    (tmp_path / "page.html").write_text(text)
    inline = InlineIgnores(tmp_path)

    def silenced(line):
        return inline.silences(
            Finding("DBG101", "n-plus-one", Severity.ERROR, "x", "message", site=Site("page.html", line))
        )

    assert [line for line in range(1, text.count("\n") + 2) if silenced(line)] == lines


def test_of_one_subject(tmp_path):
    (tmp_path / "shop.py").write_text("a  # dbguard: ignore[DBG101:Order.*] few\n")

    def silenced(subject):
        finding = Finding("DBG101", "n-plus-one", Severity.ERROR, subject, "message", site=Site("shop.py", 1))
        return InlineIgnores(tmp_path).silencing(finding)

    [ignore] = silenced("Order.customer")
    assert (ignore.word.text, ignore.place.label) == ("DBG101:Order.*", "shop.py:1")
    assert not silenced("Customer.orders")
