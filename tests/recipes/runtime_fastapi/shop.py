"""A shop's API on the runtime: its databases start and stop with the application, each request has a session."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pytest_dbguard.runtime import get_database_service


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    stock: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))


class Wanted(BaseModel):
    product_id: int


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with get_database_service():
        yield


def open_session() -> Iterator[Session]:
    with get_database_service().client() as session:
        yield session


def open_reader() -> Iterator[Session]:
    with get_database_service().readonly() as session:
        yield session


async def open_async_session() -> AsyncIterator[AsyncSession]:
    async with get_database_service().client() as session:
        yield session


async def open_async_reader() -> AsyncIterator[AsyncSession]:
    async with get_database_service().readonly() as session:
        yield session


Database = Annotated[Session, Depends(open_session)]
Reader = Annotated[Session, Depends(open_reader)]
AsyncDatabase = Annotated[AsyncSession, Depends(open_async_session)]
AsyncReader = Annotated[AsyncSession, Depends(open_async_reader)]
app = FastAPI(lifespan=lifespan)


@app.post("/orders", status_code=201)
def place_order(wanted: Wanted, session: Database) -> dict[str, int]:
    product = session.get(Product, wanted.product_id, with_for_update=True)
    if product is None:
        raise HTTPException(404, "no such product")
    product.stock -= 1
    order = Order(product_id=wanted.product_id)
    session.add(order)
    session.commit()
    return {"id": order.id}


@app.get("/orders")
def list_orders(session: Reader) -> list[str]:
    return list(session.scalars(select(Product.name).join(Order).order_by(Order.id)))


@app.post("/async/orders", status_code=201)
async def place_order_async(wanted: Wanted, session: AsyncDatabase) -> dict[str, int]:
    product = await session.get(Product, wanted.product_id, with_for_update=True)
    if product is None:
        raise HTTPException(404, "no such product")
    product.stock -= 1
    order = Order(product_id=wanted.product_id)
    session.add(order)
    await session.commit()
    return {"id": order.id}


@app.get("/async/orders")
async def list_orders_async(session: AsyncReader) -> list[str]:
    return list(await session.scalars(select(Product.name).join(Order).order_by(Order.id)))


@app.get("/health/live")
def live() -> dict[str, str]:
    return {"state": get_database_service().state}


@app.get("/health/ready")
async def ready(response: Response) -> dict[str, Any]:
    readiness = await get_database_service().ready_async()
    response.status_code = 200 if readiness.ok else 503
    return readiness.to_dict()
