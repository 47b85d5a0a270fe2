"""What the API answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _FromAttributes(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PersonOut(_FromAttributes):
    """A customer as others see them."""

    name: str


class ReviewOut(_FromAttributes):
    """A review and its author."""

    stars: int
    text: str
    customer: PersonOut


class SupplierOut(_FromAttributes):
    """Who makes a product."""

    name: str
    country: str


class ProductOut(_FromAttributes):
    """A product and its supplier."""

    sku: str
    name: str
    price_cents: int
    supplier: SupplierOut
