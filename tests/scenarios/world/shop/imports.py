"""Imports of files: rows come in, rows go out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shop.models import AuditLog, Category, Customer, Product
from shop.writing import upsert_into

FILE = "sku,name,category\n" + "".join(f"new{n},product {n},books new\n" for n in range(9))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def chunks(rows: Iterable[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def get_or_create(session: Session, mail: str) -> Customer:
    stmt = select(Customer).where(Customer.email == mail)
    found = session.scalars(stmt).one_or_none()  # expect: DBG103 customer @test_get_or_create
    if found is None:
        found = Customer(email=mail, name=mail)
        session.add(found)
        session.flush()  # expect: DBG104 customer @test_get_or_create
    return found


def import_customers(session: Session, mails: list[str]) -> list[int]:
    ids = []
    for mail in mails:  # loop: DBG103 customer @test_get_or_create  # loop: DBG104 customer @test_get_or_create
        ids.append(get_or_create(session, mail).id)
    session.commit()
    return ids


def category_id(session: Session, name: str) -> int:
    stmt = select(Category.id).where(Category.name == name)
    return session.scalars(stmt).one()  # expect: DBG103 category @test_lookup_for_each_row


def import_products(session: Session, text: str) -> int:
    rows = read(text)
    products = []
    for row in rows:  # loop: DBG103 category @test_lookup_for_each_row
        category = category_id(session, row["category"] if len(products) % 2 else "books old")
        products.append(Product(sku=row["sku"], name=row["name"], category_id=category))
    session.add_all(products)
    session.commit()
    return len(products)


def import_with_lookup(session: Session, text: str) -> int:
    """Read the categories once, then write all rows at once."""
    known = {name: pk for pk, name in session.execute(select(Category.id, Category.name))}
    rows = [{"sku": r["sku"], "name": r["name"], "category_id": known[r["category"]], "tags": []} for r in read(text)]
    session.execute(insert(Product), rows)
    session.commit()
    return len(rows)


def import_in_chunks(session: Session, text: str, size: int) -> int:
    """A chunk a transaction, each chunk one executemany."""
    written = 0
    for chunk in chunks(read(text), size):
        session.execute(insert(Product), [{"sku": r["sku"], "name": r["name"], "tags": []} for r in chunk])
        session.commit()
        written += len(chunk)
    return written


def import_by_add_all(session: Session, text: str, size: int) -> int:
    """A chunk a flush."""
    written = 0
    for chunk in chunks(read(text), size):
        session.add_all([Product(sku=r["sku"], name=r["name"]) for r in chunk])
        session.flush()
        written += len(chunk)
    session.commit()
    return written


def synchronise(session: Session, mails: list[str]) -> tuple[int, int]:
    """Compare with what is there in one question, insert what is new in one statement."""
    known = set(session.scalars(select(Customer.email).where(Customer.email.in_(mails))))
    new = [{"email": mail, "name": mail} for mail in mails if mail not in known]
    if new:
        session.execute(insert(Customer), new)
    session.commit()
    return len(known), len(new)


def upsert_in_chunks(session: Session, text: str, size: int) -> int:
    add = upsert_into(session)
    total = 0
    for chunk in chunks(read(text), size):
        stmt = add(Product).values([{"sku": r["sku"], "name": r["name"], "tags": []} for r in chunk])
        session.execute(stmt.on_conflict_do_update(index_elements=["sku"], set_={"name": stmt.excluded.name}))
        total += len(chunk)
    session.commit()
    return total


def commit_each_row(session: Session, text: str) -> int:
    done = 0
    for row in read(text):  # loop: DBG502 product @test_commit_each_row
        session.add(Product(sku=row["sku"], name=row["name"]))
        session.commit()  # expect: DBG502 product @test_commit_each_row
        done += 1
    return done


def progress(session: Session, text: str, size: int) -> int:
    """Import in chunks and write one line of progress a chunk."""
    lines = 0
    for chunk in chunks(read(text), size):
        session.execute(insert(Product), [{"sku": r["sku"], "name": r["name"], "tags": []} for r in chunk])
        session.add(AuditLog(message=f"imported {len(chunk)}"))
        session.commit()
        lines += 1
    return lines
