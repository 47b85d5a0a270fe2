"""A shop on SQLModel and FastAPI that writes to a primary database and reads from a replica."""

import os
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine, select


class Product(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


url = os.environ.get("DATABASE_URL", "postgresql+psycopg://shop@db.shop.example/shop")
engine = create_engine(url)
replica = create_engine(url)
app = FastAPI()


def writing() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def reading() -> Iterator[Session]:
    with Session(replica) as session:
        yield session


@app.post("/products")
def add_product(product: Product, session: Annotated[Session, Depends(writing)]) -> Product:
    session.add(product)
    session.commit()
    session.refresh(product)
    return product


@app.get("/products")
def list_products(session: Annotated[Session, Depends(reading)]) -> list[str]:
    return list(session.exec(select(Product.name).order_by(Product.id)))
