"""The book of ignores: the order of tests and processes does not matter, and nothing is lost on the way."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.analysis.ignore_book import IgnoreBook, WrongIgnore
from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind

STEADY = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PLACES = st.none() | st.builds(Site, st.sampled_from(["a.py", "b.py"]), st.integers(1, 3))
WORDS = st.sampled_from(["DBG101", "DBG1:Order.*", "n-plus-one:Order.items"]).map(read_word)
IGNORES = st.builds(Ignore, st.sampled_from(IgnoreKind), WORDS, PLACES, st.sampled_from(["", "shop/*"]), st.just(""))
SUBJECTS = st.sampled_from(["A.b", "A.c"])
BOOKS = st.builds(
    IgnoreBook,
    used=st.sets(IGNORES, max_size=3),
    written=st.dictionaries(IGNORES, st.sets(st.sampled_from(["t1", "t2"])), max_size=3),
    wrong=st.sets(st.builds(WrongIgnore, st.just("x"), PLACES, st.just("unknown"), st.just("hint")), max_size=2),
    known_subjects=st.sets(SUBJECTS),
    unknown_subjects=st.dictionaries(SUBJECTS, st.sampled_from(["", "A.d", "A.e"])),
)


def added(*books):
    total = IgnoreBook()
    for book in books:
        total.add(book)
    return total


@STEADY
@given(BOOKS)
def test_it_travels(book):
    assert IgnoreBook.from_json(json.loads(json.dumps(book.to_json()))) == book


@STEADY
@given(st.data(), st.lists(BOOKS, max_size=4))
def test_order_never_matters(data, books):
    assert added(*books) == added(*data.draw(st.permutations(books)))


@STEADY
@given(BOOKS, BOOKS)
def test_adding_twice_adds_nothing(one, other):
    assert added(one, other) == added(one, other, one)


def test_adding_leaves_the_other_book_alone():
    ignore = Ignore(IgnoreKind.MARKER, read_word("DBG101"))
    book = IgnoreBook(written={ignore: {"t1"}})
    total = added(book)
    total.write([ignore], ["t2"])
    assert book.written == {ignore: {"t1"}}
