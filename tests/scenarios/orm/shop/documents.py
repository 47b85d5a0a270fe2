"""Documents and whatever else has columns that are loaded later."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, load_only, undefer, undefer_group

from shop.models import Account, Customer, Document, Product


def bodies(session: Session) -> list[str]:
    found = []
    documents = session.scalars(select(Document)).all()  # origin: DBG102 Document.body @test_deferred
    for document in documents:  # loop: DBG102 Document.body @test_deferred
        found.append(document.body)  # expect: DBG102 Document.body @test_deferred
    return found


def rendered(session: Session) -> list[str]:
    documents = session.scalars(select(Document)).all()  # origin: DBG102 Document.html @test_deferred_group
    found = []
    for document in documents:  # loop: DBG102 Document.html @test_deferred_group
        html = document.html  # expect: DBG102 Document.html @test_deferred_group
        found.append(html + document.pdf)
    return found


def balances(session: Session) -> list[int]:
    few = select(Account).options(load_only(Account.name))
    accounts = session.scalars(few).all()  # origin: DBG102 Account.balance @test_load_only
    return [account.balance for account in accounts]  # expect: DBG102 Account.balance @test_load_only # loop: DBG102 Account.balance @test_load_only  # noqa: E501 # fmt: skip


def price_list(session: Session) -> str:
    lines = []
    light = select(Product).options(defer(Product.price)).limit(8)
    for product in session.scalars(light).all():  # origin: DBG102 Product.price @test_defer_option # loop: DBG102 Product.price @test_defer_option  # noqa: E501 # fmt: skip
        lines.append(f"{product.sku} {product.price}")  # expect: DBG102 Product.price @test_defer_option
    return "\n".join(lines)


def remarks_by_order(session: Session) -> list[str]:
    remarks = map(_remark, session.scalars(select(Customer)).all())  # origin: DBG102 Customer.remarks @test_deferred_map  # noqa: E501 # fmt: skip
    return sorted(remarks)


def _remark(customer: Customer) -> str:
    return customer.remarks  # expect: DBG102 Customer.remarks @test_deferred_map


# --- as it should be ---


def bodies_loaded(session: Session) -> list[str]:
    return [document.body for document in session.scalars(select(Document).options(undefer(Document.body)))]


def rendered_loaded(session: Session) -> list[str]:
    statement = select(Document).options(undefer_group("rendered"))
    return [document.html + document.pdf for document in session.scalars(statement)]


def show(session: Session, document_id: int) -> tuple[str, str, str]:
    document = session.get(Document, document_id)
    return document.title, document.body, document.html


def titles(session: Session) -> list[str]:
    return [document.title for document in session.scalars(select(Document))]


def names(session: Session) -> list[str]:
    return [account.name for account in session.scalars(select(Account).options(load_only(Account.name)))]


def bodies_as_rows(session: Session) -> dict[str, str]:
    return {title: body for title, body in session.execute(select(Document.title, Document.body)) if body}


def long_one(session: Session) -> str:
    documents = session.scalars(select(Document).order_by(Document.id)).all()
    for document in documents:
        if document.title.endswith("-2"):
            return document.body
    return ""
