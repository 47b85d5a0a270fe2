"""Say more of an order than whether it is paid, and carry over what is known of the orders there are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

orders = sa.table("orders", sa.column("is_paid", sa.Boolean), sa.column("status", sa.String))


def upgrade():
    status = op.create_table("status", sa.Column("name", sa.String(20), primary_key=True))
    op.bulk_insert(status, [{"name": name} for name in ("open", "paid", "shipped")])
    op.add_column("orders", sa.Column("status", sa.String(20), nullable=False, server_default="open"))
    op.execute(sa.update(orders).where(orders.c.is_paid).values(status="paid"))
    with op.batch_alter_table("orders") as table:
        table.drop_column("is_paid")
        table.create_foreign_key("orders_status", "status", ["status"], ["name"])


def downgrade():
    op.add_column("orders", sa.Column("is_paid", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(sa.update(orders).where(orders.c.status != "open").values(is_paid=True))
    with op.batch_alter_table("orders") as table:
        table.drop_constraint("orders_status", type_="foreignkey")
        table.drop_column("status")
    op.drop_table("status")
