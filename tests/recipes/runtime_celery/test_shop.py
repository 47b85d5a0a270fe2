"""The shop's tasks, called as functions: they commit, each test starts clean."""

import pytest
from shop import Product, sell, sold_out


@pytest.mark.parametrize("turn", range(2))
def test_sells(dbguard_session, turn):
    assert sell(1, 2)["stock"] == 0
    assert sold_out() == ["Tea"]
    assert dbguard_session.get(Product, 1).stock == 0


def test_commits_nothing_of_a_task_that_fails(dbguard_session):
    with pytest.raises(TypeError):
        sell(1, None)
    assert dbguard_session.get(Product, 1).stock == 2
