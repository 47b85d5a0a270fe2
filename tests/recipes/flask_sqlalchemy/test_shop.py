"""The shop through Flask's test client and through `db.session`: both commit, each test starts clean."""

import pytest
from shop import Order, Product, Visit, db
from sqlalchemy import select


@pytest.mark.parametrize("turn", range(2))
def test_places_an_order(client, turn):
    assert client.get("/visits").json == {"visits": 0}
    assert client.post("/orders", json={"product_id": 1}).json == {"id": 1}
    assert client.post("/orders", json={"product_id": 1}).json == {"id": 2}
    assert client.get("/visits").json == {"visits": 2}


@pytest.mark.parametrize("turn", range(2))
@pytest.mark.usefixtures("context")
def test_commits_through_the_session(client, turn):
    db.session.add(Product(name="Cup"))
    db.session.commit()
    assert client.post("/orders", json={"product_id": 2}).json == {"id": 1}
    assert db.session.scalars(select(Order)).one().product.name == "Cup"
    assert db.session.scalars(select(Visit.path)).all() == ["/orders"]


@pytest.mark.usefixtures("context")
def test_finds_only_the_seed():
    assert db.session.scalars(select(Product.name)).all() == ["Tea"]
    assert db.session.scalars(select(Visit)).all() == []


def test_refuses_an_unknown_product(client):
    assert client.post("/orders", json={"product_id": 2}).status_code == 404
