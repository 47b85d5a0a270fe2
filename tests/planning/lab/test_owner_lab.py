"""A lab of an owner keeps its sizes, whatever was made and taken back: making an index counts rows for good."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.base import IndexSpec, Rung
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from tests.planning.lab.conftest import Unavailable
from tests.planning.lab.shop_of_postgres import planned, statistics_of
from tests.planning.lab.test_postgres_ladder import given

BY_NOTE = "SELECT * FROM orders WHERE note = $1"
COLUMNS = ("note", "status", "customer_id")


@pytest.fixture(params=[0, 64], ids=["density", "ballast"])
def owned(request, shops):
    """A lab on somebody's server of version 15, where indexes count rows even while nobody vacuums."""
    server, catalog = shops(15)
    statistics = statistics_of(catalog, orders=200_000)
    options = LabOptions(server=given(server), server_was_given=True, own=Unavailable(), ballast_mb=request.param)
    choice = open_lab(catalog, statistics, options)
    assert choice.lab is not None, choice
    assert choice.lab.description.rung in (Rung.BALLAST, Rung.DENSITY)
    yield choice.lab
    choice.lab.close()


def test_sizes_outlive_candidates(owned):
    before = planned(owned, BY_NOTE)
    names = owned.add(IndexSpec("public", "orders", (column,), (column,)) for column in COLUMNS)
    assert planned(owned, BY_NOTE) == before
    for name in names:
        with owned.visible(shown=[name]):
            shown = planned(owned, BY_NOTE)
        assert planned(owned, BY_NOTE) == before
        with owned.visible(shown=[name]):
            assert planned(owned, BY_NOTE) == shown


def test_sizes_outlive_candidates_within_other_numbers_of_rows(owned):
    (name,) = owned.add([IndexSpec("public", "orders", ("note",), ("note",))])
    with owned.at_rows("orders", 50_000):
        before = planned(owned, BY_NOTE)
        with owned.visible(shown=[name]):
            pass
        assert planned(owned, BY_NOTE) == before


def test_a_candidate_can_be_hidden_among_those_that_are_shown(owned):
    names = owned.add(IndexSpec("public", "orders", (column,), (column,)) for column in COLUMNS)
    before = planned(owned, BY_NOTE)
    with owned.visible(shown=names):
        shown = planned(owned, BY_NOTE)
        with owned.visible(hidden=names[:1]):
            assert planned(owned, BY_NOTE) == before != shown
        assert planned(owned, BY_NOTE) == shown
