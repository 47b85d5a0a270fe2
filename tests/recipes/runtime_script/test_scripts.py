"""The script in this process: it starts and stops the service by itself, each test starts clean."""

import pytest
from delete_old_carts import main
from sqlalchemy import select
from tables import Cart


@pytest.mark.parametrize("how_many", [1, 100])
def test_deletes_old_carts(dbguard_session, service, how_many):
    assert main(how_many) == 2
    assert dbguard_session.scalars(select(Cart.age_in_days)).all() == [3]
    assert service.state == "stopped"


def test_has_nothing_to_do_the_second_time(service):
    assert [main(100), main(100)] == [2, 0]
