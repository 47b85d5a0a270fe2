"""Tables for the tests of what `MetaData` tells: all that SQLAlchemy can say of indexes, keys and types."""

from __future__ import annotations

import enum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg


class Mood(enum.Enum):
    SAD = "sad"
    HAPPY = "happy"


class Shade(sa.TypeDecorator):
    impl = sa.Enum("light", "dark", name="shade")
    cache_ok = True


plain = sa.MetaData()
sa.Table(
    "customers",
    plain,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(40), nullable=False, unique=True),
    sa.Column("name", sa.Text(collation="NOCASE"), index=True),
    sa.Column("Full Name", sa.Unicode(80), sa.Computed("email || 'x'", persisted=True)),
    sa.Column("mood", sa.Enum("sad", "happy", name="text_mood", native_enum=False, create_constraint=True)),
    sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.current_timestamp()),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.CheckConstraint("price > 0", name="paid"),
    sa.UniqueConstraint("name", "at"),
)
sa.Table(
    "orders",
    plain,
    sa.Column("customer_id", sa.ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("status", sa.String),
    sa.Index("ix_orders_status", "status", sqlite_where=sa.text("status <> 'done'")),
    sa.Index("ix_orders_lower", sa.func.lower(sa.column("status")), sa.desc("number")),
)

postgres = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"})
sa.Table(
    "people",
    postgres,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("mood", sa.Enum(Mood)),
    sa.Column("Shop", pg.ENUM("a", "b", "c", name="Kind", schema="Shop"), nullable=False),
    sa.Column("email", pg.CITEXT, unique=True),
    sa.Column("name", sa.String(40, collation="C"), index=True),
    sa.Column("tags", pg.ARRAY(sa.String(5)), index=True),
    sa.Column("moods", pg.ARRAY(sa.Enum(Mood))),
    sa.Column("shade", Shade),
    sa.Column("data", pg.JSONB),
    sa.Column("post", pg.DOMAIN("post_code", sa.String(9))),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True)),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("local", pg.TIMESTAMP(precision=3)),
    sa.Column("clock", sa.Time),
    sa.Column("ratio", sa.Float),
    sa.Column("small", sa.Float(8)),
    sa.Column("big", sa.Double),
    sa.Column("letter", sa.CHAR),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("raw", sa.LargeBinary),
    sa.Column("key", sa.Uuid),
    sa.Column("flag", sa.Boolean, nullable=False),
    sa.Column("pause", sa.Interval),
    sa.Column("bits", pg.BIT(3)),
    sa.Column("words", pg.TSVECTOR, sa.Computed("to_tsvector('english', name)", persisted=True)),
    sa.Column("during", pg.TSTZRANGE),
    pg.ExcludeConstraint(("during", "&&"), name="no_overlap", using="gist"),
    sa.CheckConstraint("price > 0"),
    sa.UniqueConstraint("name", "at", postgresql_include=["price"]),
    sa.Index(None, sa.text("lower(name)"), unique=True, postgresql_where=sa.text("flag")),
    sa.Index("people_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    sa.Index("people_at", sa.text("at DESC NULLS LAST"), "name", postgresql_include=["price"]),
    sa.Index("people_pattern", "name", "at", postgresql_ops={"name": "varchar_pattern_ops"}),
    sa.Index("people_data", "data", postgresql_using="gin"),
)
people = postgres.tables["people"]
sa.Index("people_desc", people.c.at.desc(), people.c.price.asc().nulls_first(), postgresql_with={"fillfactor": 60})
sa.Index("people_function", sa.func.lower(people.c.email), people.c.id)
sa.Table(
    "Orders",
    postgres,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("person", sa.ForeignKey("people.id", onupdate="CASCADE"), index=True),
    sa.Column("other", sa.SmallInteger),
    sa.ForeignKeyConstraint(["id", "other"], ["Shop.lines.id", "Shop.lines.number"]),
    prefixes=["UNLOGGED"],
)
sa.Table(
    "lines",
    postgres,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.Integer, sa.Sequence("line_sequence")),
    schema="Shop",
)
sa.Table(
    "events",
    postgres,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Date, primary_key=True),
    postgresql_partition_by="RANGE (at)",
)
