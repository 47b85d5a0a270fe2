"""Which relationships mappings load along with a select: told before it is sent, and what SQLAlchemy then loads."""

from __future__ import annotations

import pytest
from application import Customer, Employee
from sqlalchemy import ForeignKey, create_engine, func, inspect, select, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Load,
    Mapped,
    Session,
    aliased,
    contains_eager,
    defaultload,
    joinedload,
    lazyload,
    mapped_column,
    noload,
    raiseload,
    relationship,
    selectin_polymorphic,
    selectinload,
    subqueryload,
    with_polymorphic,
)

from pytest_dbguard.recording.eager import EagerReader


class World(DeclarativeBase):
    """Models whose mappings say what is loaded along."""


class Writer(World):
    __tablename__ = "writer"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list[Book]] = relationship(back_populates="writer", lazy="selectin")
    house_id: Mapped[int | None] = mapped_column(ForeignKey("house.id"))
    house: Mapped[House | None] = relationship(lazy=False)


class House(World):
    __tablename__ = "house"
    id: Mapped[int] = mapped_column(primary_key=True)
    writers: Mapped[list[Writer]] = relationship(lazy="select", overlaps="house")


class Book(World):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    writer_id: Mapped[int] = mapped_column(ForeignKey("writer.id"))
    writer: Mapped[Writer] = relationship(back_populates="books", lazy="joined")
    pages: Mapped[list[Page]] = relationship(lazy="immediate")
    covers: Mapped[list[Cover]] = relationship(lazy="subquery")


class Page(World):
    __tablename__ = "page"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.id"))


class Cover(World):
    __tablename__ = "cover"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.id"))


class Node(World):
    """A tree that is loaded two levels deep."""

    __tablename__ = "node"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    children: Mapped[list[Node]] = relationship(lazy="selectin", join_depth=2)


class Deep(World):
    __tablename__ = "deep"
    id: Mapped[int] = mapped_column(primary_key=True)
    outer_id: Mapped[int | None] = mapped_column(ForeignKey("deep.id"))
    inner: Mapped[list[Deep]] = relationship(lazy="selectin", join_depth=9)


class Person(World):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    boss_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    boss: Mapped[Boss | None] = relationship(remote_side=[id], back_populates="team")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}


class Boss(Person):
    team: Mapped[list[Person]] = relationship(back_populates="boss")
    cars: Mapped[list[Car]] = relationship(back_populates="owner")
    __mapper_args__ = {"polymorphic_identity": "boss"}


class Car(World):
    __tablename__ = "car"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    owner: Mapped[Boss] = relationship(back_populates="cars")


def told(statement, entity):
    """The loads as text: `books.pages immediate mapped`."""
    loads = EagerReader().loads(statement, inspect(entity).mapper)
    return [
        f"{'.'.join(each.key for each in load.path)} {load.strategy}{' mapped' if load.is_mapped else ''}"
        for load in loads
    ]


def test_options_of_a_polymorphic_select():
    statement = select(Person).options(selectin_polymorphic(Person, [Boss]))
    assert told(statement, Person) == []


def test_mapped_loads_of_an_alias():
    alias = aliased(Writer)
    assert told(select(alias), alias) == told(select(Writer), Writer) != []


def test_subclasses():
    assert told(select(Person).options(selectinload(Boss.cars)), Person) == ["cars selectin"]
    assert told(select(Boss).options(joinedload(Boss.boss)), Boss) == ["boss joined"]
    poly = with_polymorphic(Person, [Boss])
    statement = select(poly).options(selectinload(poly.Boss.cars).joinedload(Car.owner))
    assert told(statement, poly) == ["cars selectin", "cars.owner joined"]
    assert told(select(Employee).options(joinedload(Employee.company)), Employee) == ["company joined"]


def test_of_type():
    option = selectinload(Boss.team.of_type(Boss)).selectinload(Boss.cars)
    statement = select(Boss).options(option)
    assert told(statement, Boss) == ["team selectin", "team.cars selectin"]


def test_what_mappings_say():
    assert told(select(Writer), Writer) == [
        "books selectin mapped",
        "books.writer joined mapped",
        "books.writer.house joined mapped",
        "books.pages immediate mapped",
        "books.covers subquery mapped",
        "house joined mapped",
    ]


def test_mappings_end_where_a_class_comes_again():
    assert told(select(Book), Book) == [
        "writer joined mapped",
        "writer.house joined mapped",
        "pages immediate mapped",
        "covers subquery mapped",
    ]


def test_a_statement_of_its_own_joins_classes_that_came_before():
    assert "books.writer joined mapped" in told(select(Writer), Writer)
    inner = select(House).options(joinedload(House.writers).joinedload(Writer.books))
    assert told(inner, House) == [
        "writers joined",
        "writers.books joined",
        "writers.books.pages immediate mapped",
        "writers.books.covers subquery mapped",
    ]


def test_mappings_of_a_tree_end_as_deep_as_they_say():
    assert told(select(Node), Node) == ["children selectin mapped", "children.children selectin mapped"]


def test_mappings_are_followed_five_levels_deep():
    assert told(select(Deep), Deep)[-1] == "inner.inner.inner.inner.inner selectin mapped"
    option = selectinload(Deep.inner)
    for _ in range(6):
        option = option.selectinload(Deep.inner)
    assert len(told(select(Deep).options(option), Deep)) == 7


def test_mappings_below_options():
    statement = select(House).options(joinedload(House.writers))
    assert told(statement, House)[:2] == ["writers joined", "writers.books selectin mapped"]
    again = select(Writer).options(selectinload(Writer.books).selectinload(Book.writer))
    assert "books.writer selectin" in told(again, Writer)


@pytest.mark.parametrize("option", [lazyload, raiseload])
def test_options_override_mappings(option):
    statement = select(Writer).options(option(Writer.books))
    assert told(statement, Writer) == ["house joined mapped"]
    assert told(statement.options(option(Writer.house)), Writer) == []
    inner = select(Writer).options(defaultload(Writer.books).options(option(Book.pages), joinedload(Book.covers)))
    assert [each for each in told(inner, Writer) if "writer" not in each] == [
        "books selectin mapped",
        "books.covers joined",
        "house joined mapped",
    ]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_noload():
    option = noload(Writer.books)
    assert told(select(Writer).options(option), Writer) == ["house joined mapped"]


@pytest.mark.parametrize("option", [lazyload, raiseload])
def test_options_for_all_relationships_override_mappings(option):
    assert told(select(Writer).options(option("*")), Writer) == []
    assert told(select(Writer).options(Load(Writer).options(option("*"))), Writer) == []
    assert told(select(Writer).options(option("*"), joinedload(Writer.house)), Writer) == ["house joined"]
    inner = select(Writer).options(defaultload(Writer.books).options(option("*")))
    assert told(inner, Writer) == ["books selectin mapped", "house joined mapped"]
    assert told(select(Writer).options(option("*"), defaultload(Writer.books)), Writer) == []


def test_options_for_all_relationships_of_another_entity():
    statement = select(Writer, Customer).options(Load(Customer).lazyload("*"))
    assert told(statement, Writer) == told(select(Writer), Writer)


def test_what_is_loaded_without_a_name_is_not_told():
    assert told(select(Writer).options(selectinload("*")), Writer) == []
    statement = select(Writer).options(selectinload("*"), joinedload(Writer.house))
    assert told(statement, Writer) == ["house joined"]


def test_columns_load_nothing_along():
    assert told(select(Writer.id), Writer) == []
    assert told(select(func.count(Writer.id), Writer.house_id), Writer) == []
    assert told(select(Writer.id, Writer), Writer) != []
    assert told(select(Writer.id).options(lazyload("*")), Writer) == []


def test_columns_beside_another_entity():
    statement = select(Writer.id, Customer).options(selectinload(Customer.orders))
    assert told(statement, Writer) == ["orders selectin"]


def test_statements_that_are_given_whole_are_not_joined_to():
    statement = select(Writer).from_statement(text("SELECT * FROM writer"))
    assert told(statement, Writer) == told(select(Writer), Writer)[:-1]  # the books are loaded by a select of their own
    assert told(select(Customer).from_statement(text("x")).options(joinedload(Customer.orders)), Customer) == []


@pytest.fixture(scope="module")
def world():
    """A database in which nothing that can be loaded is missing."""
    engine = create_engine("sqlite://")
    World.metadata.create_all(engine)
    with Session(engine) as session:
        book = Book(pages=[Page()], covers=[Cover()])
        session.add(Writer(books=[book], house=House()))
        session.add(Node(children=[Node(children=[Node(children=[Node()])])]))
        session.add(Boss(boss=Boss(cars=[Car()]), cars=[Car()], team=[Person(), Boss(cars=[Car()])]))
        session.commit()
    yield engine
    engine.dispose()


def came_along(instance, path=(), outer=()):
    """The paths of the relationships that an instance holds without a load, and whether they lead back."""
    state = inspect(instance)
    for each in state.mapper.relationships:
        value = state.dict.get(each.key)
        if value is None or len(path) > 3:
            continue
        others = value if each.uselist else [value]
        inner = (*path, each.key)
        yield ".".join(inner), any(other in (*outer, instance) for other in others)
        for other in others:
            yield from came_along(other, inner, (*outer, instance))


STATEMENTS = {
    "writers": (Writer, select(Writer)),
    "books": (Book, select(Book)),
    "nodes": (Node, select(Node).where(Node.parent_id.is_(None))),
    "lazily": (Writer, select(Writer).options(lazyload(Writer.books))),
    "no relationship": (Writer, select(Writer).options(lazyload("*"))),
    "no relationship but one": (Writer, select(Writer).options(lazyload("*"), joinedload(Writer.house))),
    "no relationship of one": (Writer, select(Writer).options(Load(Writer).lazyload("*"))),
    "as mapped but no other": (Writer, select(Writer).options(lazyload("*"), defaultload(Writer.books))),
    "no relationship inside": (Writer, select(Writer).options(defaultload(Writer.books).lazyload("*"))),
    "raising": (Book, select(Book).options(raiseload(Book.writer), subqueryload(Book.pages))),
    "around, joined": (House, select(House).options(joinedload(House.writers).joinedload(Writer.books))),
    "around": (House, select(House).options(joinedload(House.writers))),
    "given whole": (Book, select(Book).from_statement(text("SELECT * FROM book"))),
    "below lazy": (House, select(House).options(defaultload(House.writers).joinedload(Writer.books))),
    "alias": (Writer, select(aliased(Writer))),
    "of type": (
        Boss,
        select(Boss).where(Boss.boss_id.is_(None)).options(selectinload(Boss.team.of_type(Boss)).joinedload(Boss.cars)),
    ),
    "subclass": (Person, select(Person).options(selectin_polymorphic(Person, [Boss]), selectinload(Boss.cars))),
    "own join": (Book, select(Book).join(Book.writer).options(contains_eager(Book.writer).lazyload(Writer.house))),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_sqlalchemy_loads_what_is_told(world, name):
    """What leads back may have been found in the session, without a load."""
    entity, statement = STATEMENTS[name]
    with Session(world) as session:
        found = {each for instance in session.scalars(statement).unique() for each in came_along(instance)}
    loads = EagerReader().loads(statement, inspect(entity))
    paths = {".".join(each.key for each in load.path) for load in loads}
    back = {path for path, leads_back in found if leads_back}
    below = {path for path, _ in found if path.startswith(tuple(f"{each}." for each in back))}
    assert {path for path, _ in found} - back - below <= paths <= {path for path, _ in found}
