"""Make the table of orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("customer", sa.String(50), nullable=False),
        sa.Column("is_paid", sa.Boolean, nullable=False),
    )
    op.bulk_insert(
        sa.table("orders", sa.column("customer", sa.String), sa.column("is_paid", sa.Boolean)),
        [{"customer": "the house", "is_paid": True}],
    )


def downgrade():
    op.drop_table("orders")
