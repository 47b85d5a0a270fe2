"""A shop on Litestar with its plugin for SQLAlchemy, which commits when the response is sent."""

import os
from dataclasses import dataclass

from advanced_alchemy.extensions.litestar import AsyncSessionConfig, SQLAlchemyAsyncConfig, SQLAlchemyPlugin
from litestar import Litestar, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


@dataclass
class NewProduct:
    name: str


def add_first_products(session):
    session.add_all([Product(name="Tea"), Product(name="Cup")])


@post("/products")
async def add_product(data: JSONBody[NewProduct], db_session: NamedDependency[AsyncSession]) -> dict[str, int]:
    product = Product(name=data.name)
    db_session.add(product)
    await db_session.flush()
    return {"id": product.id}


@get("/products")
async def list_products(db_session: NamedDependency[AsyncSession]) -> list[str]:
    return list(await db_session.scalars(select(Product.name).order_by(Product.id)))


database = SQLAlchemyAsyncConfig(
    connection_string=os.environ.get("DATABASE_URL", "postgresql+asyncpg://shop@db.shop.example/shop"),
    session_config=AsyncSessionConfig(expire_on_commit=False),
    before_send_handler="autocommit",
)
app = Litestar([add_product, list_products], plugins=[SQLAlchemyPlugin(database)])
