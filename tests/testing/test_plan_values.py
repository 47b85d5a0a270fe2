"""No value that a statement holds, in its text or in its parameters, is shown or kept by what is told of plans."""

from __future__ import annotations

import json

# put together at run time, so that excerpts of the source show none of them
SHOP = """
from sqlalchemy import Index, String, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VALUE = "plan" + "ted"


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(40), server_default=VALUE)
    note: Mapped[str] = mapped_column(String(40))
    __table_args__ = (
        Index("ix_one", "city", sqlite_where=text(f"note = '{VALUE}'")),
        Index("ix_two", "city", sqlite_where=text(f"note = '{VALUE}'")),
    )


def ask(session):
    session.scalars(select(Order).where(Order.note == VALUE)).all()
    session.scalars(select(Order).where(Order.note.like(f"{VALUE}%")).order_by(Order.city).limit(5)).all()
    session.scalars(select(Order).where(Order.note.like(f"%{VALUE}%"))).all()
    session.scalars(select(Order).where(Order.city == VALUE, Order.note == VALUE)).all()
    for condition in CONDITIONS:
        session.execute(text(f"SELECT id FROM orders WHERE {condition}")).all()
    session.execute(text(f"UPDATE orders SET note = '{VALUE}' WHERE note = '{VALUE}'"))
    session.execute(text(f"SELECT 1 FROM orders a JOIN orders b ON coalesce(a.note, '{VALUE}') = b.note")).all()
    session.execute(text(f"SELECT id FROM orders ORDER BY coalesce(note, '{VALUE}') LIMIT 3")).all()


CONDITIONS = (
    f"note = '{VALUE}' AND city > '{VALUE}'",
    f"lower(note) = '{VALUE}' OR note LIKE '{VALUE}%'",
    f"note IN ('{VALUE}', '{VALUE}2')",
    f"coalesce(note, '{VALUE}') = '{VALUE}'",
    f"note || '{VALUE}' = '{VALUE}'",
    f"replace(note, '{VALUE}', '') = '{VALUE}'",
    f"CASE WHEN note = '{VALUE}' THEN 1 END = 1",
    f"note = CAST('{VALUE}' AS TEXT)",
)
"""
SETTINGS = """
[tool.pytest.ini_options]
addopts = "-p no:cacheprovider -p no:asyncio"
[tool.dbguard]
preview = true
"""
TESTS = """
from shop import Base, ask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


def test_ask():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        ask(session)
"""


def test_no_value_is_shown_or_kept(project):
    project.write("shop.py", SHOP)
    project.write("test_shop.py", TESTS)
    project.write("pyproject.toml", SETTINGS)
    shown = project.run("--dbguard", "-v", "--dbguard-report=json:report.json")
    found = json.loads((project.path / "report.json").read_text())["findings"]
    assert {"DBG201", "DBG203", "DBG205"} <= {finding["rule"] for finding in found}
    assert project.run("--dbguard", "--dbguard-update-baseline").ret == 0
    texts = [(project.path / name).read_text() for name in ("report.json", "dbguard-baseline.json")]
    assert [text for text in (shown.stdout.str(), shown.stderr.str(), *texts) if "planted" in text] == []
