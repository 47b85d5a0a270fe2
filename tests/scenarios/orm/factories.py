"""Builds rows for tests: functions written by hand, and a base class in the manner of factory_boy."""

from __future__ import annotations

from itertools import count
from typing import Any, ClassVar

from shop import models as m
from sqlalchemy import select
from sqlalchemy.orm import Session


class Factory:
    """Makes instances of a model in a session, with defaults, and saves each one."""

    model: ClassVar[type[Any]]
    persistence: ClassVar[str] = "flush"
    _numbers: ClassVar[count[int]] = count(1)

    @classmethod
    def defaults(cls, session: Session, number: int) -> dict[str, Any]:
        """Return the values that nobody gave."""
        return {}

    @classmethod
    def create(cls, session: Session, **values: Any) -> Any:
        """Make and save one instance."""
        given = {**cls.defaults(session, next(cls._numbers)), **values}
        instance = cls.model(**given)
        session.add(instance)
        if cls.persistence == "commit":
            session.commit()
        else:
            session.flush()
        return instance

    @classmethod
    def create_batch(cls, session: Session, size: int, **values: Any) -> list[Any]:
        """Make and save several instances, one after the other."""
        return [cls.create(session, **values) for _ in range(size)]


class CustomerFactory(Factory):
    model = m.Customer

    @classmethod
    def defaults(cls, session: Session, number: int) -> dict[str, Any]:
        return {"name": f"name-{number}", "email": f"c{number}@example.org"}


class ProductFactory(Factory):
    model = m.Product

    @classmethod
    def defaults(cls, session: Session, number: int) -> dict[str, Any]:
        return {"sku": f"sku-{number}", "tags": [_tag(session, "red")]}


class OrderFactory(Factory):
    model = m.Order

    @classmethod
    def defaults(cls, session: Session, number: int) -> dict[str, Any]:
        items = [m.Item(product=ProductFactory.create(session)) for _ in range(2)]
        return {"number": f"n-{number}", "customer": CustomerFactory.create(session), "items": items}


class CommittedOrderFactory(OrderFactory):
    persistence = "commit"


def _tag(session: Session, name: str) -> m.Tag:
    """Find or make a tag, as get-or-create factories do."""
    return session.scalars(select(m.Tag).where(m.Tag.name == name)).one_or_none() or m.Tag(name=name)


class Factories:
    """The factories on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def orders(self, size: int, *, commit: bool = False) -> list[m.Order]:
        """Make orders, each with a customer and two items."""
        factory = CommittedOrderFactory if commit else OrderFactory
        return factory.create_batch(self._session, size)

    def customers(self, size: int) -> list[m.Customer]:
        """Make customers without orders."""
        return CustomerFactory.create_batch(self._session, size)
