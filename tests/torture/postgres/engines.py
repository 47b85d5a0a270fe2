"""The application's engines, made when it is imported, as for production."""

from __future__ import annotations

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

primary = create_engine("postgresql+psycopg://app:x@db.example/shop", pool_size=3, max_overflow=2, pool_timeout=5)
readonly = create_engine("postgresql+psycopg://app:x@replica.example/shop", pool_size=2)
by_asyncpg = create_async_engine("postgresql+asyncpg://app:x@db.example/shop", pool_size=3)
by_psycopg = create_async_engine("postgresql+psycopg://app:x@db.example/shop", pool_size=3)
asynchronous = (by_asyncpg, by_psycopg)
