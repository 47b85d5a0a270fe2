"""Fills an empty database with a small shop."""

from __future__ import annotations

from shop import models as m
from sqlalchemy.orm import Session


def fill(session: Session) -> None:
    """Put six customers with two orders of three items each, and all the rest, into empty tables."""
    session.add_all([m.Setting(name=name, value="on") for name in ("tax", "mail", "beta")])
    products = _catalog(session)
    _sales(session, products)
    _people(session)
    _content(session)
    session.commit()


def _catalog(session: Session) -> list[m.Product]:
    tags = [m.Tag(name=name) for name in ("red", "green", "blue")]
    root = m.Category(name="all")
    for part in ("tools", "garden"):
        middle = m.Category(name=part)
        middle.children = [m.Category(name=f"{part}-{number}") for number in range(3)]
        root.children.append(middle)
    session.add(root)
    leaves = [leaf for middle in root.children for leaf in middle.children]
    products = [
        m.Product(
            sku=f"sku-{number}",
            price=10 * number,
            category=leaves[number % 6],
            tags=[tags[number % 3], tags[(number + 1) % 3]],
            reviews=[m.Review(stars=number % 5), m.Review(stars=5)],
        )
        for number in range(36)
    ]
    session.add_all(products)
    session.flush()
    return products


def _sales(session: Session, products: list[m.Product]) -> None:
    regions = [m.Region(name=name) for name in ("north", "south", "west")]
    carriers = [m.Carrier(name=name) for name in ("snail", "pigeon")]
    euro = m.Currency(code="EUR")
    session.add_all([*regions, *carriers, euro])
    for number in range(6):
        customer = m.Customer(name=f"name-{number}", email=f"c{number}@example.org", region=regions[number % 3])
        customer.profile = m.Profile(nickname=f"nick-{number}")
        customer.addresses = [m.Address(street=f"{half} Road") for half in range(2)]
        for half in range(2):
            place = number * 2 + half
            order = m.Order(number=f"n-{place}", currency=euro, status="paid" if half else "new")
            order.items = [m.Item(product=products[place * 3 + i], quantity=i + 1) for i in range(3)]
            order.shipments = [m.Shipment(carrier=carrier) for carrier in carriers]
            customer.orders.append(order)
        session.add(customer)
    # one disputed order only: what a query for such orders finds is a list of one
    lonely = m.Customer(name="lonely", email="lonely@example.org", region=regions[0])
    lonely.orders = [m.Order(number="n-12", currency=euro, status="disputed")]
    lonely.orders[0].items = [m.Item(product=products[0], quantity=9), m.Item(product=products[1])]
    session.add(lonely)


def _people(session: Session) -> None:
    skills = [m.Skill(name=name) for name in ("sql", "python", "cooking", "driving")]
    depots = [m.Depot(city=city) for city in ("Riga", "Tartu", "Vilnius")]
    session.add_all([*skills, *depots])
    session.flush()
    for number in range(3):
        company = m.Company(name=f"company-{number}")
        company.employees = [
            m.Engineer(name=f"engineer-{number}", laptop=m.Laptop(model=f"model-{number}")),
            m.Manager(name=f"manager-{number}", budget=number),
        ]
        for employee in company.employees:
            session.add(m.Badge(code=f"badge-{employee.name}", employee=employee))
            employee.skill_links = [m.EmployeeSkill(skill=skills[number + i], level=i) for i in range(2)]
        session.add(company)
        session.add(m.Truck(plate=f"T-{number}", tonnage=number, depot=depots[number]))
        session.add(m.Car(plate=f"C-{number}", seats=4 + number))


def _content(session: Session) -> None:
    for number in range(4):
        session.add(m.Account(name=f"account-{number}", balance=number))
        session.add(m.Document(title=f"document-{number}"))
        session.add(m.Author(name=f"author-{number}", books=[m.Book(title="a"), m.Book(title="b")]))
        session.add(m.Team(name=f"team-{number}", members=[m.Member(name="a"), m.Member(name="b")]))
        session.add(m.Gallery(title=f"gallery-{number}", photos=[m.Photo(name="a"), m.Photo(name="b")]))
        session.add(m.Folder(name=f"folder-{number}", files=[m.FileEntry(name="a"), m.FileEntry(name="b")]))
        session.add(m.Survey(title=f"survey-{number}", questions=[m.Question(text="a"), m.Question(text="b")]))
        session.add(m.Thread(title=f"thread-{number}", messages=[m.Message(text="a"), m.Message(text="b")]))
        session.add(m.Invoice(number=f"invoice-{number}", lines=[m.InvoiceLine(amount=1), m.InvoiceLine(amount=2)]))
        blog = m.Blog(title=f"blog-{number}")
        session.add(blog)
        session.flush()
        session.add_all([m.Post(blog_id=blog.id, title=title) for title in "ab"])
        session.add_all([m.Entry(blog_id=blog.id, text=text) for text in "ab"])
    for number in range(2):
        replies = [m.Comment(text="answer", replies=[m.Comment(text="thanks")]) for _ in range(2)]
        session.add(m.Comment(text=f"question-{number}", replies=replies))
