"""Statements by shape and place, as broken expectations list them."""

from __future__ import annotations

import pytest

from pytest_dbguard.reports.fitting import cells
from pytest_dbguard.reports.queries import QueryGroup, render_queries

GROUPS = [
    QueryGroup(
        "SELECT cart.id, cart.owner_id, cart.created_at FROM cart WHERE cart.id = ?", "shop/cart.py:12 in load", 2
    ),
    QueryGroup(
        "SELECT price.id, price.sku, price.amount FROM price WHERE price.sku = ?", "shop/cart.py:31 in total", 12, 61.2
    ),
    QueryGroup("INSERT INTO log (text) VALUES (?)", "", 2, 1.5),
]


def test_most_first_fitted_to_the_width():
    assert render_queries(GROUPS, width=80).split("\n") == [
        "12 x SELECT … FROM price WHERE price.sku = ?   shop/cart.py:31 in total",
        " 2 x INSERT INTO log (text) VALUES (?)",
        " 2 x SELECT … FROM cart WHERE cart.id = ?      shop/cart.py:12 in load",
    ]


def test_a_narrow_terminal_gives_places_lines_of_their_own():
    assert render_queries(GROUPS, width=46).split("\n") == [
        "12 x SELECT … FROM price WHERE price.sku = ?",
        "       shop/cart.py:31 in total",
        " 2 x INSERT INTO log (text) VALUES (?)",
        " 2 x SELECT … FROM cart WHERE cart.id = ?",
        "       shop/cart.py:12 in load",
    ]


def test_times_on_request():
    assert render_queries(GROUPS[1:2], width=90, show_time=True).endswith("shop/cart.py:31 in total, 61 ms")


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_no_line_is_wider(width):
    assert all(cells(line) <= width for line in render_queries(GROUPS, width=width).split("\n"))


def test_the_order_of_groups_changes_nothing():
    assert render_queries(reversed(GROUPS)) == render_queries(GROUPS)


def test_no_groups():
    assert render_queries([]) == ""
