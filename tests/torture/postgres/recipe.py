"""What builds the database: the mapped tables, and the data that every test starts from."""

from __future__ import annotations

import models
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

SEED = """
INSERT INTO customer (email, name, tags, picture)
VALUES ('ada@example.org', 'Ada', '{a,b}', '\\x00ff'), ('bob@example.org', 'Bob', '{}', NULL);
UPDATE customer SET mood = 'sad' WHERE name = 'Bob';
INSERT INTO account (customer_id, balance) SELECT id, id * 10 FROM customer;
INSERT INTO transfer (from_id, to_id, amount) VALUES (1, 2, 5);
INSERT INTO department (title, head_id) VALUES ('research', 1);
INSERT INTO employee (department_id) VALUES (1);
INSERT INTO measurement (day, city, value)
VALUES ('2024-05-05', 'rome', 1.5), ('2025-05-05', 'rome', 2.5), ('2025-05-05', 'oslo', -1), ('1999-01-01', 'x', 0);
INSERT INTO lorry (plate, load_kg) VALUES ('L-1', 5000);
INSERT INTO stock.item (name, tied) VALUES ('bolt', '[2024-01-01,2024-02-01)');
INSERT INTO stock.movement VALUES (1, 5), (1, 5);
INSERT INTO "Odd %s Schema"."Strange "" % Täble" ("select") VALUES ('from');
INSERT INTO gap (kept) VALUES ('kept');
INSERT INTO secret (owner) VALUES (current_user), ('somebody else');
SELECT nextval('ticket'), nextval('ticket');
REFRESH MATERIALIZED VIEW totals;
"""


def seed(session: Session) -> None:
    """Add what every test starts from."""
    # without parameters the driver takes percent signs as they are
    cursor = session.connection().connection.driver_connection.cursor()
    cursor.execute(SEED)
    models.seed(session)
    session.execute(text("ANALYZE customer"))


def create(engine: Engine) -> None:
    """Create the mapped tables."""
    models.Base.metadata.create_all(engine)
