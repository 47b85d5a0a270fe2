"""Writes and changes of the schema, each committed: those that every database understands, and the project's own."""

from __future__ import annotations

import changes
import pytest
from mischief import write

NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
COMMON = {
    "seeds_changed": ["UPDATE account SET balance = 0", "UPDATE shop SET name = 'x'"],
    "seeds_deleted": ["DELETE FROM account", 'DELETE FROM "order"'],
    "everything_cascades": ["DELETE FROM customer"],
    "seeds_multiplied": ["INSERT INTO account (customer_id, balance) SELECT customer_id, 1 FROM account"],
    "tree": [
        f"INSERT INTO node (id, parent_id) {NUMBERS.format(50)} SELECT i, nullif(i - 1, 0) FROM n",
        "DELETE FROM node WHERE id = 25",
    ],
    "many_rows": [f"INSERT INTO node (parent_id) {NUMBERS.format(20000)} SELECT CAST(NULL AS integer) FROM n"],
    "trigger_that_refuses": ["INSERT INTO watched (body) VALUES ('stays')"],
    "view": ["INSERT INTO rich (name, balance) VALUES ('Rich', 1000)"],
    "create_table": ["CREATE TABLE later (id integer PRIMARY KEY)", "INSERT INTO later VALUES (1)"],
    "create_table_as": ["CREATE TABLE later AS SELECT * FROM customer"],
    "create_and_drop_table": ["CREATE TABLE later (id integer)", "DROP TABLE later"],
    "drop_table": ["DROP TABLE watched"],
    "rename_table": ["ALTER TABLE customer RENAME TO client"],
    "add_column": ["ALTER TABLE customer ADD COLUMN age integer NOT NULL DEFAULT 7"],
    "create_index": ["CREATE INDEX later ON customer (email)"],
    "replace_view": ["DROP VIEW rich", "CREATE VIEW rich AS SELECT 1 AS one"],
}
ALL = COMMON | changes.CHANGES
assert len(ALL) == len(COMMON) + len(changes.CHANGES), "a name stands twice"


@pytest.mark.parametrize("change", ALL)
def test_change(change):
    write(*ALL[change])


def test_changed_and_changed_back():
    write("UPDATE shop SET name = 'x'")
    write("UPDATE shop SET name = 'corner'")
