"""The application: a sync part on FastAPI's threads, an async part, and a page made from a template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, joinedload

from pytest_dbguard.runtime import get_database_service
from shop.database import get_async_session, get_session, lifespan
from shop.models import Customer, Order, Product
from shop.repositories import customers, orders, products
from shop.schemas import ProductOut, ReviewOut
from shop.services import reports, reviews

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent.parent / "templates"), autoescape=True)


Db = Annotated[Session, Depends(get_session)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_session)]


def current_customer(session: Db, x_api_key: Annotated[str, Header()]) -> Customer:
    """Return who sends the request."""
    customer = customers.of_key(session, x_api_key)
    if customer is None:
        raise HTTPException(401, "unknown key")
    return customer


Me = Annotated[Customer, Depends(current_customer)]
app = FastAPI(title="Shop", lifespan=lifespan)


@app.get("/ready")
async def ready(response: Response) -> dict[str, object]:
    """Tell the load balancer whether to send requests here."""
    readiness = await get_database_service().ready_async()
    response.status_code = 200 if readiness.ok else 503
    return readiness.to_dict()


@app.get("/products", response_model=list[ProductOut])
def list_products(session: Db) -> Sequence[Product]:
    """List products; FastAPI reads the suppliers when it makes the answer."""
    return session.scalars(select(Product).order_by(Product.sku)).all()  # planted: DBG101 Product.supplier at-origin


@app.get("/catalogue", response_model=list[ProductOut])
def catalogue(session: Db, page: int = 0) -> Sequence[Product]:
    """List one page of products with their suppliers."""
    # innocent: loaded with the products
    stmt = select(Product).options(joinedload(Product.supplier, innerjoin=True)).order_by(Product.id)
    return session.scalars(stmt.limit(3).offset(page * 3)).all()


@app.get("/orders", response_class=HTMLResponse)
def order_page(session: Db) -> str:
    """Show all orders as a page."""
    return TEMPLATES.get_template("orders.html").render(orders=orders.all_orders(session))


@app.get("/me")
def me(customer: Me) -> dict[str, str]:
    """Tell a customer who they are."""
    return {"name": customer.name}


@app.get("/orders/{reference}")
def order(reference: str, session: Db) -> dict[str, object]:
    """Show one order; a page of one object may load what it needs."""
    found = orders.by_reference(session, reference)
    return {"customer": found.customer.name, "lines": len(found.lines)}  # innocent: one object


@app.get("/reviews")
def list_reviews(session: Db) -> list[ReviewOut]:
    """List reviews with their authors."""
    return reviews.newest(session)


@app.get("/stock")
def stock(session: Db) -> dict[str, int]:
    """Show what is on the shelf."""
    return reports.stock_list(session)


@app.get("/tags")
def tags(session: Db) -> dict[str, list[str]]:
    """Show products by their tags."""
    return {product.sku: list(product.tag_names) for product in products.for_export(session, 2)}


@app.get("/lines")
async def lines(session: AsyncDb) -> dict[str, int]:
    """Count the lines of each order."""
    return await reviews.lines_of_orders(session)


@app.get("/references")
async def references(session: AsyncDb) -> list[str]:
    """List the references of all orders."""
    return list(await session.scalars(select(Order.reference).order_by(Order.id)))
