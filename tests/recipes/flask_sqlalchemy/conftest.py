"""What the shop adds for its tests: its tables, a product, and the engines of its two databases."""

import pytest
from shop import Product, create_app, db


@pytest.fixture(scope="session")
def dbguard_metadata():
    return db.metadata


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Product(name="Tea"))


@pytest.fixture(scope="session")
def app(dbguard_bind, dbguard_open):
    app = create_app()
    dbguard_open("visits", metadata=db.metadatas["visits"])
    with app.app_context():
        dbguard_bind(db.engine)
        dbguard_bind(db.engines["visits"], database="visits")
    return app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def context(app):
    with app.app_context():
        yield
