CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL CHECK (price >= 0));
CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT COLLATE NOCASE);
CREATE TABLE numbered_seed (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT);
CREATE TABLE plain (a, b);
CREATE TABLE plain_seed (a, b);
CREATE TABLE backwards (id INTEGER PRIMARY KEY DESC, name);
CREATE TABLE keyed (a TEXT, b INTEGER, value BLOB, PRIMARY KEY (b DESC, a)) WITHOUT ROWID;
CREATE TABLE keyed_seed (a TEXT PRIMARY KEY, b INTEGER) WITHOUT ROWID;
CREATE TABLE exact (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount REAL, anything ANY) STRICT;
CREATE TABLE calculated (
    width INTEGER, height INTEGER,
    area INTEGER GENERATED ALWAYS AS (width * height) STORED,
    half INTEGER AS (width / 2) VIRTUAL UNIQUE
);
CREATE TABLE parent (id INTEGER PRIMARY KEY, favourite INTEGER REFERENCES child (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE node (id INTEGER PRIMARY KEY, above INTEGER REFERENCES node (id) ON DELETE SET NULL);
CREATE TABLE "odd "" na%me ä'" ("sel ect" INTEGER, "%s" TEXT, "?" TEXT);
CREATE TABLE named_rowid (rowid TEXT, oid INTEGER);
CREATE TABLE named_all (rowid TEXT, oid TEXT, _rowid_ TEXT);
CREATE TABLE watched (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE log (at INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT);
CREATE TRIGGER watched_in AFTER INSERT ON watched BEGIN INSERT INTO log (what) VALUES ('in'); END;
CREATE TRIGGER watched_out AFTER DELETE ON watched BEGIN INSERT INTO log (what) VALUES ('out'); END;
CREATE TRIGGER watched_change AFTER UPDATE ON watched BEGIN UPDATE plain_seed SET b = new.name; END;
CREATE TABLE guarded (id INTEGER PRIMARY KEY);
CREATE TRIGGER guarded_out BEFORE DELETE ON guarded BEGIN SELECT RAISE(ABORT, 'never delete these'); END;
CREATE VIEW cheap AS SELECT * FROM item WHERE price < 10;
CREATE TRIGGER cheap_in INSTEAD OF INSERT ON cheap BEGIN INSERT INTO item (name, price) VALUES (new.name, 1); END;
CREATE INDEX item_partial ON item (price) WHERE price > 5;
CREATE INDEX item_expression ON item (lower(name));
CREATE VIRTUAL TABLE words USING fts5 (body);
CREATE VIRTUAL TABLE boxes USING rtree (id, x0, x1);
INSERT INTO item (name, price) VALUES ('bread', 2), ('wine', 9.5), ('saffron', 30);
INSERT INTO numbered_seed (note) VALUES ('one'), ('two');
DELETE FROM numbered_seed WHERE id = 2;
INSERT INTO plain_seed (rowid, a, b) VALUES (3, 1, 'x'), (7, 1.5, x'00ff'), (9, NULL, 'null' || char(0) || 'inside'), (10, -0.0, 9223372036854775807);
INSERT INTO keyed_seed VALUES ('a', 1), ('b', 2);
INSERT INTO calculated (width, height) VALUES (4, 5), (10, 2);
INSERT INTO parent VALUES (1, NULL), (2, NULL);
INSERT INTO child VALUES (1, 1), (2, 2);
UPDATE parent SET favourite = id;
INSERT INTO watched (name) VALUES ('seed');
INSERT INTO words VALUES ('the quick brown fox');
PRAGMA user_version = 7;
ANALYZE;
