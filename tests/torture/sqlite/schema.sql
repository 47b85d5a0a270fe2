-- What makes cleaning a SQLite database hard.

CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL COLLATE NOCASE,
    shouted TEXT GENERATED ALWAYS AS (upper(name)) STORED,
    length INTEGER GENERATED ALWAYS AS (length(name)) VIRTUAL,
    picture BLOB
);
CREATE INDEX customer_name ON customer (lower(name)) WHERE picture IS NULL;
CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customer ON DELETE CASCADE ON UPDATE CASCADE,
    balance NUMERIC NOT NULL DEFAULT 0 CHECK (balance >= 0)
);
CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL);
CREATE TRIGGER note_insert AFTER INSERT ON customer BEGIN INSERT INTO log (what) VALUES ('insert ' || NEW.id); END;
CREATE TRIGGER note_delete AFTER DELETE ON customer BEGIN INSERT INTO log (what) VALUES ('delete ' || OLD.id); END;
CREATE TRIGGER note_update AFTER UPDATE ON customer BEGIN INSERT INTO log (what) VALUES ('update ' || OLD.id); END;
CREATE TABLE department (id INTEGER PRIMARY KEY, head_id INTEGER REFERENCES employee DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE employee (id INTEGER PRIMARY KEY, department_id INTEGER REFERENCES department DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE node (id INTEGER PRIMARY KEY AUTOINCREMENT, parent_id INTEGER REFERENCES node ON DELETE CASCADE);
CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) WITHOUT ROWID;
CREATE TABLE "Odd %s "" Täble" ("select" TEXT);
CREATE TABLE watched (id INTEGER PRIMARY KEY, body TEXT);
CREATE TRIGGER refuse BEFORE DELETE ON watched BEGIN SELECT RAISE(ABORT, 'nobody deletes from this table'); END;
CREATE VIEW rich AS SELECT name, balance FROM customer JOIN account ON customer_id = customer.id;
CREATE TRIGGER insert_rich INSTEAD OF INSERT ON rich BEGIN
    INSERT INTO customer (email, name) VALUES (NEW.name || '@example.org', NEW.name);
    INSERT INTO account (customer_id, balance) SELECT max(id), NEW.balance FROM customer;
END;
CREATE VIRTUAL TABLE document USING fts5 (title, body);
CREATE TABLE wide (owner TEXT PRIMARY KEY);
CREATE TABLE wide_numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL);
