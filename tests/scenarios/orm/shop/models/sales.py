"""Customers and what they order."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship

from shop.models.base import Base
from shop.models.catalog import Product


class Region(Base):
    __tablename__ = "region"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Currency(Base):
    __tablename__ = "currency"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    remarks: Mapped[str] = mapped_column(Text, default="remarks", deferred=True)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    region: Mapped[Region | None] = relationship()
    orders: Mapped[list[Order]] = relationship(back_populates="customer", order_by="Order.id")
    addresses: Mapped[list[Address]] = relationship(back_populates="customer", order_by="Address.id")
    profile: Mapped[Profile | None] = relationship(back_populates="customer")

    @hybrid_property
    def order_count(self) -> int:
        """How many orders the customer has placed."""
        return len(self.orders)  # expect: DBG101 Customer.orders @test_hybrid_per_row

    @order_count.inplace.expression
    @classmethod
    def _order_count(cls):
        return select(func.count(Order.id)).where(Order.customer_id == cls.id).scalar_subquery()

    @cached_property
    def streets(self) -> tuple[str, ...]:
        """Where the customer lives."""
        addresses = self.addresses  # expect: DBG101 Customer.addresses @test_cached_rows
        return tuple(address.street for address in addresses)


class Profile(Base):
    __tablename__ = "profile"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), unique=True)
    nickname: Mapped[str] = mapped_column(default="nick")
    customer: Mapped[Customer] = relationship(back_populates="profile")


class Address(Base):
    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    street: Mapped[str] = mapped_column(default="Main Street")
    customer: Mapped[Customer] = relationship(back_populates="addresses")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default="new", index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    currency_id: Mapped[int | None] = mapped_column(ForeignKey("currency.id"), index=True)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    currency: Mapped[Currency | None] = relationship()
    items: Mapped[list[Item]] = relationship(back_populates="order", order_by="Item.id")
    shipments: Mapped[list[Shipment]] = relationship(back_populates="order", order_by="Shipment.id")

    def __str__(self) -> str:
        """Show the order as the mails to customers do."""
        return f"{self.number} for {self.customer.name}"  # expect: DBG101 Order.customer @test_str_per_row

    @property
    def customer_name(self) -> str:
        """Whose order it is."""
        return self.customer.name  # expect: DBG101 Order.customer @test_property_per_row

    @property
    def weight(self) -> int:
        """How much there is to carry."""
        items = self.items  # expect: DBG101 Order.items @test_attrgetter_property @test_min_key
        return sum(item.quantity for item in items)

    @property
    def size(self) -> int:
        """How many items the order has, asked of the database."""
        session = object_session(self)
        counted = select(func.count()).select_from(Item).where(Item.order_id == self.id)
        return session.scalar(counted)  # expect: DBG103 item @test_query_property

    def __lt__(self, other: Order) -> bool:
        """Sort by the customers' names."""
        return self.customer.name < other.customer.name  # expect: DBG101 Order.customer @test_less_than

    def is_heavy(self) -> bool:
        """Tell whether the order needs a truck."""
        return any(item.quantity > 8 for item in self.items)  # expect: DBG101 Order.items @test_method_filter

    def to_dict(self) -> dict[str, object]:
        """Return what the API shows."""
        return {
            "number": self.number,
            "items": [  # loop: DBG101 Item.product @test_to_dict
                item.to_dict()
                for item in self.items  # expect: DBG101 Order.items @test_to_dict
            ],
        }


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    quantity: Mapped[int] = mapped_column(default=1)
    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()

    def to_dict(self) -> dict[str, object]:
        """Return what the API shows."""
        return {"sku": self.product.sku, "quantity": self.quantity}  # expect: DBG101 Item.product @test_to_dict


class Carrier(Base):
    __tablename__ = "carrier"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Shipment(Base):
    __tablename__ = "shipment"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carrier.id"), index=True)
    order: Mapped[Order] = relationship(back_populates="shipments")
    carrier: Mapped[Carrier] = relationship()
