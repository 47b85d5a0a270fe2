"""How many combinations columns have that refer to a row together."""

from __future__ import annotations

from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.key_combinations import with_key_combinations
from pytest_dbguard.planning.statistics.model import NDistinct, Origin, Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, ForeignKey, Table

OFFER = ForeignKey("fk_offer", ("part_id", "shop_id"), "public", "offers", ("part_id", "shop_id"))
PART = ForeignKey("fk_part", ("part_id",), "public", "parts", ("id",))
COLUMNS = (Column("part_id", "integer"), Column("shop_id", "integer"))
ITEMS = Table("public", "items", columns=COLUMNS, foreign_keys=(OFFER, PART))
ROWS = {("public", "offers"): 800.0, ("public", "parts"): 200.0}


def combinations(rows, *told, referred=ROWS):
    known = TableStatistics("public", "items", rows, combinations=told)
    return with_key_combinations(known, ITEMS, referred).combinations


def test_no_more_than_the_rows_that_are_referred_to():
    assert combinations(5000) == (NDistinct(("part_id", "shop_id"), 800),)


def test_what_is_told_counts():
    told = NDistinct(("shop_id", "part_id"), 30)
    assert combinations(5000, told) == (told,)


def test_nothing_follows_from_a_larger_table_or_one_that_nobody_knows():
    assert combinations(100) == ()
    assert combinations(5000, referred={}) == ()


def test_completed_statistics_tell_them():
    offers = Table("public", "offers", columns=COLUMNS, primary_key=("part_id", "shop_id"))
    sizes = (("items", 5000), ("offers", 800))
    tables = tuple(TableStatistics("public", name, rows, origin=Origin.DECLARED) for name, rows in sizes)
    found = completed(Statistics(tables), Catalog(Dialect.POSTGRESQL, tables=(ITEMS, offers))).table("items", "public")
    assert found.combinations == (NDistinct(("part_id", "shop_id"), 800),)
