"""Sets as bits."""

from __future__ import annotations

from pytest_dbguard.planning.advice.masks import bits


def test_numbers_of_a_set():
    assert list(bits(0)) == []
    assert list(bits(0b1)) == [0]
    assert list(bits(0b100101 | 1 << 200)) == [0, 2, 5, 200]
