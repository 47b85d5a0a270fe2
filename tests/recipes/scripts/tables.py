"""The tables that the scripts work on, and how they find their database."""

import os

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine

metadata = MetaData()
cart = Table(
    "cart",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer", String(50), nullable=False),
    Column("age_in_days", Integer, nullable=False, index=True),
)


def connect() -> Engine:
    return create_engine(os.environ["DATABASE_URL"])
