"""What the configuration leaves out, and where it says so."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.setting_ignores import setting_ignores
from pytest_dbguard.config.load import load_config
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.ignores import IgnoreKind

FILE = """
[tool.dbguard]
ignore = [
    "DBG601",
    'DBG103:product',
]

[tool.dbguard.per-path-ignores]
"shop/legacy/*" = ["DBG1", "DBG601"]
"""


def read(root, text="", **sources):
    (root / "pyproject.toml").write_text(text)
    return setting_ignores(load_config(root, environ=sources.get("environ", {}), flags=sources.get("flags")), root)


def test_each_word_has_its_line(tmp_path):
    found = read(tmp_path, FILE)
    assert [(each.kind, each.word.text, each.place.label, each.owner) for each in found.all] == [
        (IgnoreKind.CONFIG, "DBG103:product", "pyproject.toml:5", ""),
        (IgnoreKind.PATH, "DBG1", "pyproject.toml:9", "shop/legacy/*"),
        (IgnoreKind.PATH, "DBG601", "pyproject.toml:9", "shop/legacy/*"),
    ]


@pytest.mark.parametrize(
    ("sources", "key"),
    [
        ({"flags": {"ignore": ("DBG103:product",)}}, "flag --dbguard-ignore"),
        ({"environ": {"DBGUARD_IGNORE": "DBG103:product, DBG601"}}, "environment variable DBGUARD_IGNORE"),
    ],
)
def test_flags_and_variables_have_no_line(tmp_path, sources, key):
    [ignore] = read(tmp_path, **sources).all
    assert (ignore.place, ignore.key) == (None, key)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("ignore = ['DBG999:x']", "pyproject.toml: ignore: unknown rule 'DBG999'", "did you mean"),
        ("ignore = ['DBG101:']", "pyproject.toml: ignore: 'DBG101:' names no subject", "Order.customer"),
        (
            "per-path-ignores = {'a/*' = ['n-plus-on']}",
            "pyproject.toml: per-path-ignores: 'a/*': unknown rule 'n-plus-on'",
            "did you mean 'n-plus-one'?",
        ),
        (
            "per-path-ignores = {'../a' = ['DBG1']}",
            "pyproject.toml: per-path-ignores: '../a' is not relative to the root",
            "from the root on",
        ),
    ],
)
def test_what_cannot_be_used(tmp_path, text, message, hint):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[tool.dbguard]\n{text}\n")
    assert caught.value.message == message
    assert hint in caught.value.hint
