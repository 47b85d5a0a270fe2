"""Work in threads and thread pools."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from queue import Empty, Queue

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from shop.models import Customer, Job, Order, Product


def customer_names(session: Session) -> list[str]:
    stmt = select(Order).order_by(Order.id)
    orders = session.scalars(stmt).all()  # origin: DBG101 Order.customer @test_lazy_in_a_thread
    names = []
    for order in orders:  # loop: DBG101 Order.customer @test_lazy_in_a_thread
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_lazy_in_a_thread
    return names


def in_thread(maker: sessionmaker[Session], out: list[str]) -> None:
    def work() -> None:
        with maker() as session:
            out.extend(customer_names(session))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def price_of(maker: sessionmaker[Session], pk: int) -> int:
    stmt = select(Product.price).where(Product.id == pk)
    with maker() as session:
        return session.scalars(stmt).one()  # expect: DBG103 product @test_pool_map @test_pool_submit


def prices_by_map(maker: sessionmaker[Session], ids: list[int]) -> list[int]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(partial(price_of, maker), ids))


def prices_by_submit(maker: sessionmaker[Session], ids: list[int]) -> int:
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(price_of, maker, pk) for pk in ids]
        return sum(future.result() for future in as_completed(futures))


def state_of(session: Session, pk: int) -> str:
    stmt = select(Order.state).where(Order.id == pk)
    return session.scalars(stmt).one()  # expect: DBG103 orders @test_loop_in_a_pool


def all_states(maker: sessionmaker[Session], ids: list[int]) -> list[str]:
    with maker() as session:
        return [state_of(session, pk) for pk in ids]  # loop: DBG103 orders @test_loop_in_a_pool


def states_in_pool(maker: sessionmaker[Session], ids: list[int]) -> list[str]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(all_states, maker, ids).result()


def sizes(maker: sessionmaker[Session]) -> list[int]:
    with maker() as session:
        orders = session.scalars(select(Order).options(selectinload(Order.items))).all()
        return [len(order.items) for order in orders]


def report(maker: sessionmaker[Session]) -> tuple[int | None, int | None]:
    """Two different questions at the same time."""

    def count_orders() -> int | None:
        with maker() as session:
            return session.scalar(select(func.count()).select_from(Order))

    def count_customers() -> int | None:
        with maker() as session:
            return session.scalar(select(func.count()).select_from(Customer))

    with ThreadPoolExecutor(2) as pool:
        orders, customers = pool.submit(count_orders), pool.submit(count_customers)
        return orders.result(), customers.result()


def claim(maker: sessionmaker[Session]) -> bool:
    with maker.begin() as session:
        stmt = select(Job).where(Job.state == "waiting").order_by(Job.id).limit(1).with_for_update(skip_locked=True)
        job = session.scalars(stmt).first()
        if job is not None:
            job.state = "done"
        return job is not None


def worker(maker: sessionmaker[Session], done: Queue[int], lock: threading.Lock) -> None:
    while True:
        with lock:
            if not claim(maker):
                return
        done.put(1)


def run_workers(maker: sessionmaker[Session], number: int) -> int:
    done: Queue[int] = Queue()
    lock = threading.Lock()
    threads = [threading.Thread(target=worker, args=(maker, done, lock)) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = 0
    while True:
        try:
            total += done.get_nowait()
        except Empty:
            return total


def sum_in_ranges(maker: sessionmaker[Session], ranges: list[tuple[int, int]]) -> int:
    """Split one large question into ranges for the pool, on purpose."""

    def part(bounds: tuple[int, int]) -> int:
        with maker() as session:
            return session.scalar(select(func.sum(Order.total)).where(Order.id.between(*bounds))) or 0

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(part, ranges))
