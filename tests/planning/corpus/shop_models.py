"""A shop that many tenants share: some of its columns are indexed, some are not, and some only seem to be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Tenant(Base):
    __tablename__ = "tenant"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(40), unique=True)


class Country(Base):
    """A list that stays small everywhere."""

    __tablename__ = "country"
    id: Mapped[int] = mapped_column(primary_key=True)
    iso: Mapped[str] = mapped_column(String(2))
    name: Mapped[str] = mapped_column(String(60))


class User(Base):
    __tablename__ = "app_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    email: Mapped[str] = mapped_column(String(120))
    login: Mapped[str] = mapped_column(String(40))
    nickname: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(20))
    is_active: Mapped[bool] = mapped_column(default=True)
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    last_seen_at: Mapped[dt.datetime | None]
    __table_args__ = (
        UniqueConstraint("tenant_id", "email", name="uq_app_user_tenant_email"),
        Index("ix_app_user_lower_login", func.lower(text("login"))),
    )


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    email: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(80))
    city: Mapped[str] = mapped_column(String(40))
    phone: Mapped[str | None] = mapped_column(String(30))
    country_id: Mapped[int | None] = mapped_column(ForeignKey("country.id"), index=True)
    is_vip: Mapped[bool] = mapped_column(default=False)
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(index=True)
    deleted_at: Mapped[dt.datetime | None]
    orders: Mapped[list[Order]] = relationship(back_populates="customer")
    addresses: Mapped[list[Address]] = relationship()
    __table_args__ = (
        Index("ix_customer_tenant_name", "tenant_id", "name"),
        Index(
            "ix_customer_live_email",
            "email",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )


class Address(Base):
    """Its foreign key has no index."""

    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    street: Mapped[str] = mapped_column(String(80))
    zip: Mapped[str] = mapped_column(String(10))


class Category(Base):
    """A tree whose way downwards has no index."""

    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    slug: Mapped[str] = mapped_column(String(60), unique=True)


class ProductLabel(Base):
    """Labels of products: by product through the primary key, by label through nothing."""

    __tablename__ = "product_label"
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("label.id"), primary_key=True)


class Label(Base):
    __tablename__ = "label"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    products: Mapped[list[Product]] = relationship(secondary="product_label", back_populates="labels")


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(30), unique=True)
    title: Mapped[str] = mapped_column(String(120), index=True)
    brand: Mapped[str] = mapped_column(String(60))
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    attributes: Mapped[dict] = mapped_column(JSON)
    is_listed: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime]
    labels: Mapped[list[Label]] = relationship(secondary="product_label", back_populates="products")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    number: Mapped[str] = mapped_column(String(30), unique=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    channel_type: Mapped[str] = mapped_column(String(20))
    coupon: Mapped[str | None] = mapped_column(String(20))
    total: Mapped[int]
    placed_at: Mapped[dt.datetime]
    shipped_at: Mapped[dt.datetime | None]
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[Item]] = relationship(back_populates="order")
    payments: Mapped[list[Payment]] = relationship(back_populates="order")
    __table_args__ = (Index("ix_orders_tenant_placed", "tenant_id", "placed_at"),)


class Item(Base):
    """Lines of orders: by order through an index, by product through nothing."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()


class Payment(Base):
    """Its foreign key has no index; failed ones have an index of their own."""

    __tablename__ = "payment"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    reference: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    paid_at: Mapped[dt.datetime | None]
    order: Mapped[Order] = relationship(back_populates="payments")
    __table_args__ = (
        Index("ix_payment_reference", "reference", postgresql_using="hash"),
        Index(
            "ix_payment_failed_at",
            "paid_at",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
    )


class Invoice(Base):
    __tablename__ = "invoice"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    number: Mapped[str] = mapped_column(String(30))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    issued_on: Mapped[dt.date] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("tenant_id", "number", name="uq_invoice_tenant_number"),)


class StockMove(Base):
    __tablename__ = "stock_move"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    warehouse_id: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    delta: Mapped[int]
    batch_no: Mapped[str] = mapped_column(String(30))
    moved_at: Mapped[dt.datetime]
    __table_args__ = (
        Index("ix_stock_move_product_at", "product_id", "moved_at"),
        Index("ix_stock_move_warehouse", "warehouse_id", "batch_no"),
    )


class AuditEntry(Base):
    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    kind: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[int | None]
    entity_type: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[int]
    message: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (
        Index("ix_audit_entry_tenant_kind", "tenant_id", "kind"),
        Index("ix_audit_entry_entity", "entity_type", "entity_id"),
    )


class Review(Base):
    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    rating: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    is_published: Mapped[bool]
    written_at: Mapped[dt.datetime]


class Webhook(Base):
    __tablename__ = "webhook"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(20))
    received_at: Mapped[dt.datetime]
    processed_at: Mapped[dt.datetime | None]
    __table_args__ = (UniqueConstraint("provider", "external_id", name="uq_webhook_external"),)


class SessionToken(Base):
    __tablename__ = "session_token"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    expires_at: Mapped[dt.datetime]


class Setting(Base):
    """A few dozen rows, as its name says."""

    __tablename__ = "setting"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60))
    value: Mapped[str] = mapped_column(Text)


class Carrier(Base):
    __tablename__ = "carrier"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(CHAR(4), unique=True)
    name: Mapped[str] = mapped_column(String(60))


class Shipment(Base):
    """Another team made it: one index says again what another says, two more repeat constraints."""

    __tablename__ = "shipment"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carrier.id"))
    carrier_code: Mapped[str] = mapped_column(String(4), index=True)
    order_number: Mapped[str] = mapped_column(Text, index=True)
    tracking: Mapped[Decimal] = mapped_column(Numeric(20, 0), unique=True)
    weight: Mapped[int] = mapped_column(index=True)
    sent_at: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (
        Index(
            "ix_shipment_of_order",
            "order_id",
            sqlite_where=text("order_id IS NOT NULL"),
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index("ix_shipment_carrier", "carrier_id"),
        Index("ix_shipment_carrier_sent", "carrier_id", "sent_at"),
        Index("ix_shipment_tracking", "tracking"),
    )


class Parcel(Base):
    """Its foreign key is the beginning of the primary key, and has an index beside it."""

    __tablename__ = "parcel"
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True, index=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class Scan(Base):
    """Read from the scanners' files: its numbers have types of their own."""

    __tablename__ = "scan"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    shipment_id: Mapped[int] = mapped_column(BigInteger, index=True)
    tracking: Mapped[int] = mapped_column(BigInteger, index=True)
    customer_no: Mapped[str] = mapped_column(String(20), index=True)
    product_no: Mapped[float] = mapped_column(index=True)
    day: Mapped[dt.date] = mapped_column(index=True)
    device: Mapped[str] = mapped_column(String(20), index=True)


class Reminder(Base):
    """Its foreign key has two columns; the index holds them the other way round."""

    __tablename__ = "reminder"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    invoice_number: Mapped[str] = mapped_column(String(30))
    sent_on: Mapped[dt.date]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "invoice_number"], ["invoice.tenant_id", "invoice.number"]),
        Index("ix_reminder_invoice", "invoice_number", "tenant_id"),
    )
