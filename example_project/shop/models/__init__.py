"""The tables of the shop."""

from __future__ import annotations

from shop.models.base import Base
from shop.models.billing import Invoice
from shop.models.catalogue import Category, Product, Supplier, Tag, product_tags
from shop.models.customers import Address, ApiKey, Customer
from shop.models.orders import Order, OrderLine, OrderStatus
from shop.models.reviews import Review
from shop.models.stock import StockMovement
from shop.models.tasks import Task, TaskStatus

__all__ = [
    "Address",
    "ApiKey",
    "Base",
    "Category",
    "Customer",
    "Invoice",
    "Order",
    "OrderLine",
    "OrderStatus",
    "Product",
    "Review",
    "StockMovement",
    "Supplier",
    "Tag",
    "Task",
    "TaskStatus",
    "product_tags",
]
