"""A shop's API: FastAPI on an asynchronous engine that is made when the module is imported."""

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))


class Wanted(BaseModel):
    product_id: int


engine = create_async_engine(os.environ.get("DATABASE_URL", "postgresql+asyncpg://shop@db.shop.example/shop"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def open_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Database = Annotated[AsyncSession, Depends(open_session)]


@app.post("/orders", status_code=201)
async def place_order(wanted: Wanted, session: Database) -> dict[str, int]:
    if await session.get(Product, wanted.product_id) is None:
        raise HTTPException(404, "no such product")
    order = Order(product_id=wanted.product_id)
    session.add(order)
    await session.commit()
    return {"id": order.id}


@app.get("/orders")
async def list_orders(session: Database) -> list[str]:
    statement = select(Product.name).join(Order, Order.product_id == Product.id).order_by(Order.id)
    return list(await session.scalars(statement))
