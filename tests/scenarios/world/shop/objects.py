"""Objects whose special methods, properties and iteration ask the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cmp_to_key, singledispatch
from itertools import chain, takewhile

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from shop.models import Category, Customer, Item, Order, Product, Rate, Setting


@dataclass
class OrderLabel:
    """Reads a relationship when it is printed."""

    order: Order

    def __str__(self) -> str:
        return f"{self.order.id}: {self.order.customer.name}"  # expect: DBG101 Order.customer @test_str_lazy


def print_labels(session: Session) -> str:
    orders = session.scalars(select(Order).order_by(Order.id)).all()  # origin: DBG101 Order.customer @test_str_lazy
    lines = [OrderLabel(order) for order in orders]
    return "\n".join(str(line) for line in lines)  # loop: DBG101 Order.customer @test_str_lazy


def print_joined(session: Session) -> str:
    orders = session.scalars(select(Order).options(joinedload(Order.customer)).order_by(Order.id)).all()
    return "\n".join(map(str, map(OrderLabel, orders)))


@dataclass
class Basket:
    """Looks its price up as soon as it is made."""

    session: Session
    pk: int
    price: int = field(init=False)

    def __post_init__(self) -> None:
        stmt = select(Product.price).where(Product.id == self.pk)
        self.price = self.session.scalars(stmt).one()  # expect: DBG103 product @test_post_init


def baskets(session: Session, ids: Iterable[int]) -> list[Basket]:
    return [Basket(session, pk) for pk in ids]  # loop: DBG103 product @test_post_init


class LazySequence:
    """Asks for one element at each index."""

    def __init__(self, session: Session, length: int) -> None:
        self.session = session
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> str:
        if index >= self.length:
            raise IndexError(index)
        stmt = select(Product.sku).order_by(Product.id).offset(index).limit(1)
        return self.session.scalars(stmt).one()


class NamesByKey(defaultdict[int, str]):
    """Fills itself from the database, key by key."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def __missing__(self, key: int) -> str:
        stmt = select(Customer.name).where(Customer.id == key)
        self[key] = name = self.session.scalars(stmt).one()  # expect: DBG103 customer @test_missing_of_a_dict
        return name


def names_of(session: Session, ids: Iterable[int]) -> list[str]:
    known = NamesByKey(session)
    return [known[pk] for pk in ids]  # loop: DBG103 customer @test_missing_of_a_dict


def setting(session: Session, key: str) -> str:
    stmt = select(Setting.value).where(Setting.key == key)
    return session.scalars(stmt).one()  # expect: DBG103 setting @test_setdefault_asks_anyway


def remembered(session: Session, keys: list[str]) -> dict[str, str]:
    """setdefault() evaluates its argument even where the key is known."""
    memory: dict[str, str] = {}
    for key in keys:  # loop: DBG103 setting @test_setdefault_asks_anyway
        memory.setdefault(key, setting(session, key))
    return memory


def has_product(session: Session, pk: int) -> bool:
    stmt = select(exists().where(Product.id == pk))
    return bool(session.scalar(stmt))  # expect: DBG103 product @test_all_of_a_generator


def all_known(session: Session, ids: list[int]) -> bool:
    return all(has_product(session, pk) for pk in ids)  # loop: DBG103 product @test_all_of_a_generator


def ids_below(session: Session, pk: int) -> list[int]:
    stmt = select(Category.id).where(Category.parent_id == pk)
    return list(session.scalars(stmt))  # expect: DBG103 category @test_chain_from_iterable


def grandchildren(session: Session, pks: list[int]) -> list[int]:
    parts = (ids_below(session, pk) for pk in pks)  # loop: DBG103 category @test_chain_from_iterable
    return list(chain.from_iterable(parts))


def rate(session: Session, currency: str) -> int:
    stmt = select(Rate.value).where(Rate.currency == currency)
    return session.scalars(stmt).one()  # expect: DBG103 rate @test_comparator


def by_rate(session: Session, currencies: list[str]) -> list[str]:
    def compare(one: str, other: str) -> int:
        return rate(session, one) - rate(session, other)

    return sorted(currencies, key=cmp_to_key(compare))  # loop: DBG103 rate @test_comparator


def existing(session: Session, ids: list[int]) -> list[str]:
    found = []
    for pk in ids:  # loop: DBG103 orders @test_walrus
        if (order := session.get(Order, pk)) is not None:  # expect: DBG103 orders @test_walrus
            found.append(order.state)
    return found


@singledispatch
def describe(thing: object, session: Session) -> str:
    return str(thing)


@describe.register
def _(thing: Product, session: Session) -> str:
    stmt = select(func.count()).where(Item.product_id == thing.id)
    return f"{thing.name}: {session.scalars(stmt).one()}"  # expect: DBG103 item @test_singledispatch


def describe_all(session: Session) -> list[str]:
    lines = []
    for product in session.scalars(select(Product)).all():  # loop: DBG103 item @test_singledispatch
        lines.append(describe(product, session))
    return lines


def first_sold_out(session: Session, ids: list[int]) -> int:
    """for ... else: a search that may fail."""
    for pk in ids:
        stock = session.scalars(select(Product.stock).where(Product.id == pk)).one()
        if stock > 0:
            break
    else:
        raise LookupError(ids)
    return pk


def cheap_ones(session: Session) -> list[str]:
    """takewhile over one cursor."""
    rows = session.execute(select(Product.sku, Product.price).order_by(Product.price))
    return [row.sku for row in takewhile(lambda row: row.price < 15, rows)]


def in_fetches(session: Session, size: int) -> Iterator[int]:
    """fetchmany() of one cursor."""
    result = session.execute(select(Item.id).order_by(Item.id))
    while rows := result.fetchmany(size):
        yield from (row.id for row in rows)


def in_partitions(session: Session, size: int) -> int:
    result = session.execute(select(Item.id).execution_options(yield_per=size))
    return sum(1 for _ in result.partitions())


class Loader:
    """Collects keys, asks once for all of them: what a data loader does."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.wanted: set[int] = set()
        self.found: dict[int, str] = {}

    def want(self, pk: int) -> None:
        self.wanted.add(pk)

    def get(self, pk: int) -> str:
        if pk not in self.found:
            rows = self.session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(self.wanted)))
            self.found = {row.id: row.name for row in rows}
        return self.found[pk]


def resolve_with_loader(session: Session) -> list[str]:
    loader = Loader(session)
    orders = session.execute(select(Order.id, Order.customer_id)).all()
    for order in orders:
        loader.want(order.customer_id)
    return [loader.get(order.customer_id) for order in orders]


def resolve_customer(session: Session, customer_id: int) -> str:
    stmt = select(Customer.name).where(Customer.id == customer_id)
    return session.scalars(stmt).one()  # expect: DBG103 customer @test_resolver_for_each_row


RESOLVERS = {"customer": resolve_customer}


def resolve(session: Session, fields: list[str]) -> list[dict[str, str]]:
    """Call a resolver for each field of each row, as GraphQL servers do."""
    out = []
    orders = session.execute(select(Order.id, Order.customer_id)).all()
    # The comprehension below has one round each: it is the rows that repeat the question.
    for order in orders:  # loop: DBG103 customer @test_resolver_for_each_row
        out.append({name: RESOLVERS[name](session, order.customer_id) for name in fields})
    return out
