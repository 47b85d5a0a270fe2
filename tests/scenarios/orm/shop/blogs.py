"""Blogs, whose collections are too long to be loaded: dynamic and write-only relationships."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, immediateload

from shop.models import Blog, Customer, Entry, Post


def post_counts(session: Session) -> dict[str, int]:
    counts = {}
    for blog in session.scalars(select(Blog)).all():  # loop: DBG103 post @test_dynamic_count
        counts[blog.title] = blog.posts.count()  # expect: DBG103 post @test_dynamic_count
    return counts


def first_posts(session: Session) -> list[str]:
    titles = []
    for blog in session.scalars(select(Blog)).all():  # loop: DBG103 post @test_dynamic_filter
        first = blog.posts.filter(Post.title == "a").first()  # expect: DBG103 post @test_dynamic_filter
        titles.append(f"{first.blog.title} {first.title}")
    return titles


def entries(session: Session) -> list[str]:
    texts = []
    for blog in session.scalars(select(Blog)).all():  # loop: DBG103 entry @test_write_only_select
        texts.extend(entry.text for entry in session.scalars(blog.entries.select()))  # expect: DBG103 entry @test_write_only_select  # noqa: E501 # fmt: skip
    return texts


def order_numbers(session: Session) -> list[str]:
    statement = select(Customer).options(immediateload(Customer.orders))
    customers = session.scalars(statement).all()  # expect: DBG101 Customer.orders @test_immediate # origin: DBG101 Customer.orders @test_immediate  # noqa: E501 # fmt: skip
    return [order.number for customer in customers for order in customer.orders]


# --- as it should be ---


def front_page(session: Session, blog_id: int) -> tuple[int, list[str]]:
    blog = session.get(Blog, blog_id)
    return blog.posts.count(), [f"{post.blog.title} {post.title}" for post in blog.posts.limit(10)]


def latest_entries(session: Session, blog_id: int) -> list[str]:
    blog = session.get(Blog, blog_id)
    return [entry.text for entry in session.scalars(blog.entries.select().limit(10))]


def announce(session: Session, text: str) -> None:
    for blog in session.scalars(select(Blog)):
        blog.entries.add(Entry(text=text))
    session.commit()


def counts_by_database(session: Session) -> dict[str, int]:
    statement = select(Blog.title, func.count(Post.id)).join(Post, Post.blog_id == Blog.id).group_by(Blog.title)
    return {title: count for title, count in session.execute(statement) if count}


def one_with_orders(session: Session, customer_id: int) -> list[str]:
    customer = session.get(Customer, customer_id, options=[immediateload(Customer.orders)])
    return [order.number for order in customer.orders]
