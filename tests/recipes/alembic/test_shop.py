"""The shop on the tables that its migrations make; what they wrote belongs to every test."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from shop.models import Base, Order, Status
from shop.orders import place, ship
from sqlalchemy import select


@pytest.mark.parametrize("turn", range(2))
def test_places_and_ships_an_order(dbguard_session, turn):
    assert place("Ada") == 2
    ship(2)
    orders = dbguard_session.execute(select(Order.id, Order.status).order_by(Order.id)).all()
    assert orders == [(1, "paid"), (2, "shipped")]


def test_changes_what_the_migrations_wrote(dbguard_session):
    ship(1)
    assert dbguard_session.scalars(select(Order.status)).all() == ["shipped"]
    dbguard_session.add(Status(name="lost"))
    dbguard_session.commit()


def test_finds_what_the_migrations_wrote(dbguard_session):
    assert dbguard_session.scalars(select(Order.status)).all() == ["paid"]
    assert dbguard_session.scalars(select(Status.name).order_by(Status.name)).all() == ["open", "paid", "shipped"]


@pytest.mark.parametrize("turn", range(2))
def test_models_and_migrations_agree(dbguard_connection, turn):
    context = MigrationContext.configure(dbguard_connection)
    assert context.get_current_revision() == "0002"
    assert compare_metadata(context, Base.metadata) == []
