"""Subjects are checked against the models of the process, however they were mapped."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from pytest_dbguard.analysis.ignore_book import IgnoreBook
from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.analysis.model_subjects import check_subjects, is_about_models


class Base(DeclarativeBase):
    pass


class Zebra(Base):
    __tablename__ = "zebra"
    id: Mapped[int] = mapped_column(primary_key=True)
    stripes: Mapped[int]


class Foal(Zebra):
    pass


IMPERATIVE = registry()


class Okapi:
    pass


IMPERATIVE.map_imperatively(
    Okapi, Table("okapi", IMPERATIVE.metadata, Column("id", Integer, primary_key=True), Column("horns", Integer))
)


def checked(subject, rule="DBG101"):
    book = IgnoreBook()
    check_subjects([read_word(f"{rule}:{subject}")], book)
    return book


@pytest.mark.parametrize(
    "subject", ["Zebra.stripes", "Foal.stripes", "Okapi.horns", "Zebra.*", "*.stripes", "Zeb*.stripes", "*.*"]
)
def test_known(subject):
    assert checked(subject) == IgnoreBook(known_subjects={subject})


@pytest.mark.parametrize(
    ("subject", "match"),
    [
        ("Zebra.stripe", "Zebra.stripes"),
        ("Zebar.stripes", "Zebra.stripes"),
        ("Zebar.*", "Zebra.*"),
        ("*.strips", "*.stripes"),
        ("Zebra.qqqqqq", ""),
        ("Qqqqqq.stripes", ""),
    ],
)
def test_unknown(subject, match):
    assert checked(subject) == IgnoreBook(unknown_subjects={subject: match})


@pytest.mark.parametrize(
    ("word", "is_checked"),
    [
        ("DBG101:Zebra.stripes", True),
        ("DBG1:Zebra.stripes", True),
        ("DBG101", False),
        ("DBG103:zebra", False),
        ("DBG103:zebra.stripes", False),
        ("DBG901:test_a.py::test", False),
    ],
)
def test_what_is_checked(word, is_checked):
    assert is_about_models(read_word(word)) is is_checked
