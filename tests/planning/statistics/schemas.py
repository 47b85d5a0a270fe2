"""Small schemas for tests of statistics."""

from __future__ import annotations

from pytest_dbguard.schema.catalog import (
    Catalog,
    Check,
    Column,
    Dialect,
    ForeignKey,
    Index,
    IndexKey,
    RelationKind,
    Table,
)


def table(name, *columns, key=("id",), refers=None, schema="public", **more):
    """Return a table; `refers` maps its columns to the tables that they refer to."""
    foreign_keys = tuple(
        ForeignKey(f"fk_{name}_{column}", (column,), schema, referred, ("id",))
        for column, referred in (refers or {}).items()
    )
    return Table(schema, name, columns=columns, primary_key=key, foreign_keys=foreign_keys, **more)


def number(name="id", type_="integer", **more):
    return Column(name, type_, nullable=False, **more)


def postgres(*tables, search_path=("public",)):
    return Catalog(Dialect.POSTGRESQL, tables=tables, search_path=search_path)


def sqlite(*tables):
    return Catalog(Dialect.SQLITE, tables=tables)


def shop():
    """Return a shop: customers of countries, their orders, and what the orders hold."""
    email = Index(
        "ix_email", (IndexKey(None, expression="lower((email)::text)"), IndexKey(None, expression="(total + 1)"))
    )
    return postgres(
        table(
            "customers",
            number(is_identity=True),
            Column("email", "character varying(255)", nullable=False),
            number("country_id"),
            Column("deleted_at", "timestamp with time zone"),
            Column("is_active", "boolean", nullable=False),
            Column("total", "numeric(10,2)"),
            refers={"country_id": "countries"},
            indexes=(email,),
        ),
        table("countries", number(), Column("name", "text", nullable=False)),
        table(
            "orders",
            number(),
            number("customer_id"),
            Column("status", "text", nullable=False),
            Column("size", "text", nullable=False),
            Column("city", "text"),
            refers={"customer_id": "customers"},
            checks=(Check("ck_size", "size = ANY (ARRAY['S'::text, 'M'::text, 'L'::text])"),),
        ),
        table("items", number(), number("order_id"), refers={"order_id": "orders"}),
        table(
            "order_tags",
            number("order_id"),
            number("tag_id"),
            key=("order_id", "tag_id"),
            refers={"order_id": "orders", "tag_id": "tags"},
        ),
        table("tags", number(), Column("name", "text", nullable=False)),
        Table("public", "big_orders", kind=RelationKind.VIEW, columns=(number(),), view="SELECT id FROM orders"),
    )
