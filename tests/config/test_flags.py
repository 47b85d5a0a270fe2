"""Settings given on pytest's command line."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        ("select", "DBG1,n-plus-one", ("DBG1", "n-plus-one")),
        ("select", ["DBG1,DBG2", "n-plus-one"], ("DBG1", "DBG2", "n-plus-one")),
        ("ignore", ("DBG1",), ("DBG1",)),
        ("report", ["json:a,b.json", "term"], ("json:a,b.json", "term")),
        ("report", "json:a,b.json", ("json:a,b.json",)),
        ("max_queries", "5", 5),
        ("max_queries", 5, 5),
        ("slow_ms", 1, 1.0),
        ("update_baseline", True, True),
        ("show_queries", False, False),
    ],
)
def test_values(load, field, given, value):
    config = load(flags={field: given})
    assert getattr(config, field) == value
    assert config.sources[field] == f"flag --dbguard-{field.replace('_', '-')}"


@pytest.mark.parametrize("given", [None, [], ()])
def test_what_is_not_given_says_nothing(load, given):
    config = load("[tool.dbguard]\nselect = ['DBG1']\n", flags={"select": given})
    assert config.select == ("DBG1",)


def test_a_list_replaces_the_list_of_the_file(load):
    assert load("[tool.dbguard]\nignore = ['DBG1']\n", flags={"ignore": "DBG2"}).ignore == ("DBG2",)


def test_wrong_values(refusal):
    assert refusal(flags={"fail_on": "warn"}) == (
        "flag --dbguard-fail-on: expected 'error', 'warning', 'note' or 'never', not 'warn'\n  did you mean 'warning'?"
    )
    assert refusal(flags={"select": [1]}) == "flag --dbguard-select: expected text, not 1"
    assert refusal(flags={"max_querys": 1}).startswith("flag --dbguard-max-querys: unknown key 'max_querys'")
