"""Factories that commit through the shop's own sessions."""

import factory
from factory.alchemy import SQLAlchemyModelFactory
from shop import Customer, Order, Session


class Committed(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session_factory = Session
        sqlalchemy_session_persistence = "commit"


class CustomerFactory(Committed):
    class Meta:
        model = Customer

    name = factory.Sequence(lambda number: f"customer {number}")


class OrderFactory(Committed):
    class Meta:
        model = Order

    total = 100
    customer = factory.SubFactory(CustomerFactory)
