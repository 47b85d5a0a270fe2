"""The shop through its API and through sessions of SQLModel; the replica refuses writes, as in production."""

import pytest
from shop import Product, engine, replica
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select


@pytest.mark.parametrize("name", ["Cup", "Pot"])
def test_adds_a_product(client, name):
    assert client.post("/products", json={"name": name}).json() == {"id": 2, "name": name}
    assert client.get("/products").json() == ["Tea", name]


@pytest.mark.parametrize("turn", range(2))
def test_shows_what_a_session_commits(client, turn):
    with Session(engine) as session:
        tea = session.exec(select(Product)).one()
        tea.name = "Green tea"
        session.add(tea)
        session.commit()
    assert client.get("/products").json() == ["Green tea"]


def test_does_not_write_to_the_replica():
    with Session(replica) as session, pytest.raises(DBAPIError):
        session.add(Product(name="Cup"))
        session.commit()
