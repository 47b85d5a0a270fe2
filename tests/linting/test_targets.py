"""What the words on the command line stand for."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.linting.targets import Targets, read_targets


def test_each_word_is_told_by_what_is_there(tmp_path):
    (tmp_path / "shop").mkdir()
    for name in ("shop/repo.py", "queries.sql", "saved.json", "statements.csv"):
        (tmp_path / name).write_text("")
    found = read_targets(
        ["shop", "./queries.sql", "shop/../queries.sql", "saved.json", "statements.csv", "shop.models:Base", "-"],
        tmp_path,
    )
    assert found == Targets(
        (tmp_path / "shop", tmp_path / "queries.sql"),
        ("shop.models:Base",),
        (tmp_path / "saved.json", tmp_path / "statements.csv"),
        reads_stdin=True,
    )


def test_a_word_for_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no file or directory 'gone.sql'"):
        read_targets(["gone.sql"], tmp_path)


def test_a_database_is_no_target_and_its_password_is_not_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_targets(["postgresql://shop:geheim@db/shop"], tmp_path)
    assert "geheim" not in str(caught.value)
    assert "--database" in str(caught.value)
