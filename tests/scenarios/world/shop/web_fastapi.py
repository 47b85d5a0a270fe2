"""The shop's API on FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker

from shop.models import AuditLog, Customer, Order, Product, Setting

router = APIRouter()


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    customer: CustomerOut


def get_session(request: Request) -> Iterator[Session]:
    with request.app.state.maker() as session:
        yield session


async def get_async_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.async_maker() as session:
        yield session


Db = Annotated[Session, Depends(get_session)]
AsyncDb = Annotated[AsyncSession, Depends(get_async_session)]


def current_customer(session: Db, email: Annotated[str, Header()]) -> Customer:
    customer = session.scalars(select(Customer).where(Customer.email == email)).one_or_none()
    if customer is None:
        raise HTTPException(401)
    return customer


Me = Annotated[Customer, Depends(current_customer)]


@router.get("/orders/model", response_model=list[OrderOut])
def orders_through_a_model(session: Db) -> Any:
    # No line of the application reads the relationship: the finding names the query's, which is also its origin.
    return session.scalars(  # expect: DBG101 Order.customer @test_model_lazy  # origin: DBG101 Order.customer @test_model_lazy  # noqa: E501
        select(Order).order_by(Order.id)
    ).all()


@router.get("/orders")
def orders(session: Db) -> list[dict[str, Any]]:
    stmt = select(Order).order_by(Order.id)
    found = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_route_lazy @test_second_request_lazy
    out = []
    for order in found:  # loop: DBG101 Order.customer @test_route_lazy @test_second_request_lazy
        name = order.customer.name  # expect: DBG101 Order.customer @test_route_lazy @test_second_request_lazy
        out.append({"id": order.id, "customer": name})
    return out


@router.get("/orders/joined", response_model=list[OrderOut])
def orders_joined(session: Db) -> Any:
    return session.scalars(select(Order).options(joinedload(Order.customer)).order_by(Order.id)).all()


@router.get("/orders/{pk}", response_model=OrderOut)
def order(session: Db, pk: int) -> Any:
    found = session.get(Order, pk)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/me")
def me(customer: Me) -> dict[str, str]:
    return {"name": customer.name}


@router.get("/me/orders")
def my_orders(customer: Me) -> list[int]:
    return [order.total for order in customer.orders]


@router.get("/async/products")
async def products(session: AsyncDb, ids: str) -> list[str]:
    names = []
    for pk in ids.split(","):  # loop: DBG103 product @test_async_route_loop
        stmt = select(Product.name).where(Product.id == int(pk))
        names.append((await session.scalars(stmt)).one())  # expect: DBG103 product @test_async_route_loop
    return names


@router.get("/async/customers")
async def customers(session: AsyncDb) -> dict[str, int]:
    found = await session.scalars(select(Customer).options(selectinload(Customer.orders)))
    return {customer.name: len(customer.orders) for customer in found}


@router.post("/orders/{pk}/state")
def change_state(session: Db, pk: int, state: str) -> dict[str, str]:
    found = session.get_one(Order, pk)
    found.state = state
    session.add(AuditLog(message=f"{pk}: {state}"))
    session.commit()
    return {"state": found.state}


class States(BaseModel):
    states: dict[int, str]


@router.post("/orders/states")
def change_states(session: Db, body: States) -> int:
    for pk, state in body.states.items():  # loop: DBG103 orders @test_bulk_route_gets
        found = session.get(Order, pk)  # expect: DBG103 orders @test_bulk_route_gets
        assert found is not None
        found.state = state
    session.commit()
    return len(body.states)


def setting(session: Db) -> str | None:
    return session.scalar(select(Setting.value).where(Setting.key == "key1"))


def write_log(maker: sessionmaker[Session], messages: list[str]) -> None:
    with maker() as session:
        for message in messages:  # loop: DBG502 audit_log @test_background_task_commits
            session.add(AuditLog(message=message))
            session.commit()  # expect: DBG502 audit_log @test_background_task_commits


@router.post("/log")
def log(request: Request, tasks: BackgroundTasks, messages: list[str]) -> None:
    tasks.add_task(write_log, request.app.state.maker, messages)


@router.get("/statistics")
def statistics(session: Db, first: Annotated[str | None, Depends(setting)]) -> dict[str, Any]:
    return {
        "setting": first,
        "orders": session.scalar(select(func.count()).select_from(Order)),
        "products": session.scalar(select(func.count()).select_from(Product)),
    }


def export_lines(maker: sessionmaker[Session]) -> Iterator[str]:
    """Yield the lines while the response is sent."""
    with maker() as session:
        stmt = select(Order).order_by(Order.id)
        orders = session.scalars(stmt).all()  # origin: DBG101 Order.items @test_streaming_response
        for order in orders:  # loop: DBG101 Order.items @test_streaming_response
            yield f"{order.id};{len(order.items)}\n"  # expect: DBG101 Order.items @test_streaming_response


@router.get("/export")
def export(request: Request) -> StreamingResponse:
    return StreamingResponse(export_lines(request.app.state.maker), media_type="text/csv")


def shop_name(session: Session) -> str:
    stmt = select(Setting.value).where(Setting.key == "key0")
    found = session.scalars(stmt)  # expect: DBG105 setting @test_twice  # origin: DBG105 setting @test_twice
    return found.one()


def title(session: Db) -> str:
    return f"orders of {shop_name(session)}"


def footer(session: Db) -> str:
    return f"(c) {shop_name(session)}"


@router.get("/frame")
def frame(head: Annotated[str, Depends(title)], foot: Annotated[str, Depends(footer)]) -> str:
    """Two dependencies of one request ask the same."""
    return f"{head} {foot}"


@router.get("/me/twice")
def me_twice(customer: Me, again: Annotated[Customer, Depends(current_customer)]) -> bool:
    """The framework remembers a dependency for the request: it asks once."""
    return customer is again


def make_app(maker: sessionmaker[Session], async_maker: async_sessionmaker[AsyncSession] | None = None) -> FastAPI:
    app = FastAPI()
    app.state.maker = maker
    app.state.async_maker = async_maker
    app.include_router(router)
    return app
