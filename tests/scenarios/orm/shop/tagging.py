"""Products and their tags, employees and their skills: many to many."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, selectinload

from shop.models import Employee, EmployeeSkill, Product, Tag, product_tags


def tag_lists(session: Session) -> list[list[str]]:
    lists = []
    products = session.scalars(select(Product)).all()  # origin: DBG101 Product.tags @test_tags
    for product in products:  # loop: DBG101 Product.tags @test_tags
        lists.append([tag.name for tag in product.tags])  # expect: DBG101 Product.tags @test_tags
    return lists


def sizes_of_tags(session: Session) -> dict[str, int]:
    sizes = {}
    tags = session.scalars(select(Tag)).all()  # origin: DBG101 Tag.products @test_backref
    for tag in tags:  # loop: DBG101 Tag.products @test_backref
        sizes[tag.name] = len(tag.products)  # expect: DBG101 Tag.products @test_backref
    return sizes


def levels(session: Session) -> list[str]:
    found = []
    people = session.scalars(select(Employee))  # origin: DBG101 Employee.skill_links @test_links # origin: DBG101 EmployeeSkill.skill @test_links  # noqa: E501 # fmt: skip
    for person in people.all():  # loop: DBG101 Employee.skill_links @test_links
        for link in person.skill_links:  # expect: DBG101 Employee.skill_links @test_links # loop: DBG101 EmployeeSkill.skill @test_links  # noqa: E501 # fmt: skip
            found.append(f"{link.skill.name} {link.level}")  # expect: DBG101 EmployeeSkill.skill @test_links
    return found


def names_by_proxy(session: Session) -> list[str]:
    names = []
    for product in session.scalars(select(Product)).all():  # origin: DBG101 Product.tags @test_proxy # loop: DBG101 Product.tags @test_proxy  # noqa: E501 # fmt: skip
        names.extend(product.tag_names)  # expect: DBG101 Product.tags @test_proxy
    return names


def red_ones(session: Session) -> list[str]:
    found = []
    products = session.scalars(select(Product)).all()  # origin: DBG101 Product.tags @test_proxy_contains
    for product in products:  # loop: DBG101 Product.tags @test_proxy_contains
        if "red" in product.tag_names:  # expect: DBG101 Product.tags @test_proxy_contains
            found.append(product.sku)
    return found


def skilled(session: Session) -> list[str]:
    found = []
    people = session.scalars(select(Employee)).all()  # origin: DBG101 Employee.skill_links @test_proxy_object # origin: DBG101 EmployeeSkill.skill @test_proxy_object  # noqa: E501 # fmt: skip
    for person in people:  # loop: DBG101 Employee.skill_links @test_proxy_object
        for skill in person.skills:  # expect: DBG101 Employee.skill_links @test_proxy_object # expect: DBG101 EmployeeSkill.skill @test_proxy_object # loop: DBG101 EmployeeSkill.skill @test_proxy_object  # noqa: E501 # fmt: skip
            found.append(skill.name)
    return found


def mark_all(session: Session, name: str) -> None:
    tag = session.scalars(select(Tag).where(Tag.name == name)).one()
    products = session.scalars(select(Product).limit(6)).all()  # origin: DBG101 Product.tags @test_append
    for product in products:  # loop: DBG101 Product.tags @test_append
        if tag not in product.tags:  # expect: DBG101 Product.tags @test_append
            product.tags.append(tag)
    session.commit()


# --- as it should be ---


def tag_lists_loaded(session: Session) -> list[list[str]]:
    statement = select(Product).options(selectinload(Product.tags))
    return [[tag.name for tag in product.tags] for product in session.scalars(statement)]


def names_by_proxy_loaded(session: Session) -> list[str]:
    statement = select(Product).options(selectinload(Product.tags))
    return [name for product in session.scalars(statement) for name in product.tag_names]


def skilled_loaded(session: Session) -> list[str]:
    option = selectinload(Employee.skill_links).selectinload(EmployeeSkill.skill)
    return [skill.name for person in session.scalars(select(Employee).options(option)) for skill in person.skills]


def red_ones_by_database(session: Session) -> list[str]:
    statement = select(Product.sku).where(Product.tags.any(Tag.name == "red"))
    return [sku for sku in session.scalars(statement) if sku]


def mark_one(session: Session, sku: str, name: str) -> list[str]:
    product = session.scalars(select(Product).where(Product.sku == sku)).one()
    product.tags.append(session.scalars(select(Tag).where(Tag.name == name)).one())
    session.flush()
    return list(product.tag_names)


def mark_by_rows(session: Session, name: str) -> None:
    tag_id = session.scalars(select(Tag.id).where(Tag.name == name)).one()
    unmarked = select(Product.id).where(~Product.tags.any(Tag.name == name))
    rows = [{"product_id": product_id, "tag_id": tag_id} for product_id in session.scalars(unmarked)]
    session.execute(insert(product_tags), rows)
    session.commit()
