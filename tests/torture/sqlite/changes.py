"""Changes that SQLite understands, as the statements of one transaction."""

from __future__ import annotations

CHANGES = {
    "seeds_without_rowid_deleted": ["DELETE FROM setting"],
    "replace": ["INSERT OR REPLACE INTO setting VALUES ('a', 5), ('c', 6)"],
    "upsert": ["INSERT INTO setting VALUES ('a', 5) ON CONFLICT (name) DO UPDATE SET value = 9"],
    "autoincrement": ["INSERT INTO node (id) VALUES (500)", "DELETE FROM node"],
    "autoincrement_forgotten": ["DELETE FROM sqlite_sequence"],
    "circle": ["INSERT INTO department VALUES (2, 2)", "INSERT INTO employee VALUES (2, 2)"],
    "odd_names": ['INSERT INTO "Odd %s "" Täble" VALUES (1)'],
    "full_text": ["INSERT INTO document VALUES ('new', 'to be found')", "DELETE FROM document WHERE rowid = 1"],
    "drop_virtual_table": ["DROP TABLE document"],
    "drop_and_create_table": [
        "DROP TABLE setting",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) WITHOUT ROWID",
    ],
    "create_trigger": ["CREATE TRIGGER later AFTER DELETE ON node BEGIN DELETE FROM customer; END"],
    "exchange_indexes": ["CREATE INDEX later ON customer (email)", "DROP INDEX customer_name"],
    "version": ["PRAGMA user_version = 99"],
    "analyze": ["ANALYZE"],
}
