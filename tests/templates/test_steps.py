"""What fixtures and settings may say about tables, migrations and seeds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, registry

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.templates.alembic_step import AlembicStep
from pytest_dbguard.templates.callable_step import CallableStep, SeedStep
from pytest_dbguard.templates.sql_files_step import SqlFilesStep
from pytest_dbguard.templates.steps import steps_for


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a module of its own, which is not installed."""
    for name in ("V1__a.sql", "V2__b.sql", "V10__c.sql", "single.sql", "alembic.ini", "src/steps_app.py"):
        path = tmp_path / "sql" / name if name.startswith("V") else tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").touch()
    (tmp_path / "src" / "steps_app.py").write_text(
        "from sqlalchemy import MetaData\nmetadata = MetaData()\ndef fill(session): ...\n"
        "class Inner:\n    metadata = metadata\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("steps_app", None)


class Base(DeclarativeBase):
    pass


def one(engine): ...


@pytest.mark.parametrize("value", [Base.metadata, Base, Base.registry, [Base], (Base, Base.metadata), {Base}])
def test_metadata_comes_in_many_forms(value, tmp_path):
    (step,) = steps_for("metadata", value, root=tmp_path)
    assert step.metadata == (Base.metadata,)


def test_several_metadata_are_one_step(tmp_path):
    other = registry().metadata
    (step,) = steps_for("metadata", [Base, other, None], root=tmp_path)
    assert step.metadata == (Base.metadata, other)


def test_metadata_by_name(project):
    for spec in ("steps_app:metadata", "steps_app:Inner", "steps_app:Inner.metadata"):
        (step,) = steps_for("metadata", spec, root=project)
        assert step.metadata == (sys.modules["steps_app"].metadata,)


@pytest.mark.parametrize("kind", ["metadata", "migrate", "seed"])
def test_nothing_is_no_step(kind, tmp_path):
    assert steps_for(kind, None, root=tmp_path) == ()
    assert steps_for(kind, [], root=tmp_path) == ()
    assert steps_for(kind, [None], root=tmp_path) == ()


def test_migrations_come_in_many_forms(project):
    found = steps_for(
        "migrate",
        ["alembic.ini", project / "alembic.ini", "migrations", "single.sql", "sql/*.sql", "sql", one, "steps_app:fill",
         Config(str(project / "alembic.ini")), Config()],
        root=project,
    )  # fmt: skip
    kinds = [AlembicStep] * 3 + [SqlFilesStep] * 3 + [CallableStep] * 2 + [AlembicStep] * 2
    assert [type(step) for step in found] == kinds
    assert [step.name for step in found[:8]] == [
        "alembic.ini", str(project / "alembic.ini"), "migrations", "single.sql", "sql/*.sql", "sql",
        "one of fixture 'dbguard_migrate'", "fill of fixture 'dbguard_migrate'",
    ]  # fmt: skip
    assert found[-1].name == "the Config of fixture 'dbguard_migrate'"


@pytest.mark.parametrize("value", ["sql", "sql/*.sql", Path("sql")])
def test_sql_files_run_in_the_order_that_people_count_in(project, value):
    (step,) = steps_for("migrate", value, root=project)
    assert [path.name for path in step.files] == ["V1__a.sql", "V2__b.sql", "V10__c.sql"]


def test_absolute_globs(project):
    (step,) = steps_for("migrate", str(project / "sql" / "V?_*.sql"), root=Path("/"))
    assert [path.name for path in step.files] == ["V1__a.sql", "V2__b.sql"]


def test_seeds_are_functions(project):
    found = steps_for(
        "seed", [one, "steps_app:fill", lambda session: None], root=project, place="seed in pyproject.toml"
    )
    assert [type(step) for step in found] == [SeedStep] * 3
    assert [step.name for step in found] == [
        f"{name} of seed in pyproject.toml" for name in ("one", "fill", "<lambda>")
    ]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("metadata", 3, "fixture 'dbguard_metadata': a 'int' is not understood\n  expected a MetaData, a declarative"),
        ("migrate", 3, "fixture 'dbguard_migrate': a 'int' is not understood\n  expected \"alembic.ini\", an Alembic"),
        ("seed", [3], "fixture 'dbguard_seed': a 'int' is not understood\n  expected a function of a Session"),
        ("metadata", "steps_app", "expected `module:attribute`, not 'steps_app'\n  such as \"shop.models:Base\""),
        ("metadata", "steps_app:metadat", "'steps_app' has no 'metadat'\n  did you mean 'metadata'?"),
        ("seed", "steps_ap:fill", "'steps_ap:fill': No module named 'steps_ap'\n  is it importable from '"),
        ("migrate", "no.sql", "there is no file 'no.sql' below '"),
        ("migrate", "no/*.sql", "there is no file 'no/*.sql' below '"),
        ("migrate", "src", "there is no file 'src' below '"),
        ("migrate", "no.ini", "there is no file 'no.ini' below '"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(project, kind, value, message):
    with pytest.raises(DatabaseError) as caught:
        steps_for(kind, value, root=project)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"fixture 'dbguard_{kind}': ")


def test_equal_values_make_equal_steps(project):
    for kind, value in (("metadata", Base), ("migrate", "alembic.ini"), ("migrate", "sql"), ("seed", one)):
        assert steps_for(kind, value, root=project) == steps_for(kind, value, root=project)
    other = MetaData()
    Table("item", other, Column("id", Integer, primary_key=True))
    assert steps_for("metadata", Base, root=project) != steps_for("metadata", other, root=project)
