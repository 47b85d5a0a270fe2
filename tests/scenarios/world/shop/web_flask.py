"""The shop's pages on Flask."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, g, jsonify, request
from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, joinedload, sessionmaker

from shop.models import AuditLog, Category, Customer, Order, Product
from shop.pages_html import environment


def session() -> Session:
    found: Session = g.session
    return found


def recent_orders() -> list[dict[str, Any]]:
    stmt = select(Order).order_by(Order.id)
    orders = session().scalars(stmt).all()  # origin: DBG101 Order.customer @test_flask_view_lazy
    out = []
    for order in orders:  # loop: DBG101 Order.customer @test_flask_view_lazy
        name = order.customer.name  # expect: DBG101 Order.customer @test_flask_view_lazy
        out.append({"id": order.id, "customer": name})
    return out


def page() -> str:
    stmt = select(Order).options(joinedload(Order.customer)).order_by(Order.id)
    return environment.get_template("orders.html").render(orders=session().scalars(stmt).all())


def order(pk: int) -> Any:
    found = session().get(Order, pk) or abort(404)
    return jsonify(id=found.id, customer=found.customer.name)


def is_allowed(order_id: int) -> bool:
    mine = exists().where(Order.id == order_id, Order.customer_id == g.customer_id)
    return bool(session().scalar(select(mine)))  # expect: DBG103 orders @test_permission_for_each


def visible() -> Any:
    ids = session().scalars(select(Order.id).order_by(Order.id)).all()
    allowed = []
    for pk in ids:  # loop: DBG103 orders @test_permission_for_each
        if is_allowed(pk):
            allowed.append(pk)
    return jsonify(allowed)


def restock() -> Any:
    for sku, amount in request.get_json().items():  # loop: DBG104 product @test_update_for_each_sku
        stmt = update(Product).where(Product.sku == sku).values(stock=amount)
        session().execute(stmt)  # expect: DBG104 product @test_update_for_each_sku
    session().commit()
    return jsonify(ok=True)


def unit(sku: str) -> str:
    """Look a unit up for a template, in each line of it."""
    stmt = select(Category.name).join(Product, Product.category_id == Category.id).where(Product.sku == sku)
    return session().scalars(stmt).one()  # expect: DBG103 category @test_template_helper


def price_list() -> str:
    products = session().scalars(select(Product).order_by(Product.id)).all()
    template = environment.from_string("{% for p in products %}{{ unit(p.sku) }},{% endfor %}")
    return template.render(products=products, unit=unit)  # loop: DBG103 category @test_template_helper


def dashboard() -> Any:
    """Three different numbers on three lines."""
    return jsonify(
        orders=session().scalar(select(func.count()).select_from(Order)),
        products=session().scalar(select(func.count()).select_from(Product)),
        customers=session().scalar(select(func.count()).select_from(Customer)),
    )


def make_app(maker: sessionmaker[Session]) -> Flask:
    app = Flask(__name__)

    @app.before_request
    def open_session() -> None:
        g.session = maker()
        mail = request.headers.get("email", "c0@shop.test")
        g.customer_id = g.session.scalar(select(Customer.id).where(Customer.email == mail))

    @app.after_request
    def log(response: Any) -> Any:
        g.session.add(AuditLog(message=request.path))
        g.session.commit()
        return response

    @app.teardown_request
    def close_session(error: BaseException | None) -> None:
        g.session.close()

    app.add_url_rule("/prices", view_func=price_list)
    app.add_url_rule("/dashboard", view_func=dashboard)
    app.add_url_rule("/orders", view_func=recent_orders)
    app.add_url_rule("/orders.html", view_func=page)
    app.add_url_rule("/orders/<int:pk>", view_func=order)
    app.add_url_rule("/visible", view_func=visible)
    app.add_url_rule("/restock", view_func=restock, methods=["POST"])
    return app
