-- All that reflection must cope with, made by hand.
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  email VARCHAR(40) COLLATE NOCASE NOT NULL UNIQUE,
  "Full Name" TEXT DEFAULT 'it''s, (none)', -- a comment, with CHECK (nothing)
  [square] INT CONSTRAINT positive CHECK ([square] > 0),
  `tick` REAL /* COLLATE RTRIM */,
  shout TEXT GENERATED ALWAYS AS (upper("Full Name" || ',')) VIRTUAL,
  total NUMERIC(10, 2) AS (tick * 2) STORED,
  untyped,
  "check" TEXT CHECK (length("check") > 1 AND "check" <> ')'),
  UNIQUE (untyped, tick),
  CONSTRAINT "both, of them" CHECK (tick < total)
);
CREATE INDEX "by name" ON customers ("Full Name" COLLATE RTRIM DESC, email);
CREATE UNIQUE INDEX lower_email ON customers (lower(email), tick + 1 COLLATE NOCASE ASC) WHERE email IS NOT NULL AND shout <> 'WHERE';
CREATE INDEX binary_email ON customers (email COLLATE BINARY);
CREATE INDEX "odd ""name" ON customers (json_extract("Full Name", '$.a,b'), substr(email, 1, 2) DESC);
CREATE TABLE "Orders" (id TEXT, number INT, customer REFERENCES Customers ON DELETE CASCADE, other INT,
  PRIMARY KEY (id, number), FOREIGN KEY (id, other) REFERENCES "Orders" (id, number) ON UPDATE SET NULL) WITHOUT ROWID;
CREATE INDEX orders_customer ON "Orders" (customer);
CREATE TABLE backwards (id INTEGER PRIMARY KEY DESC, name TEXT);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, n INT) STRICT;
CREATE TABLE nothing_known (a, b DEFAULT (1 + 2));
CREATE TABLE orphan (id INT PRIMARY KEY, gone INT REFERENCES not_there (id));
CREATE TABLE copied AS SELECT id, email AS e FROM customers;
CREATE VIEW busy AS SELECT c.id AS ident, count(*) AS "How Many" FROM customers AS c JOIN "Orders" o ON o.customer = c.id GROUP BY 1;
CREATE VIEW named (a, b) AS SELECT ident, 'AS' FROM busy;
CREATE VIEW broken AS SELECT * FROM gone;
CREATE VIRTUAL TABLE words USING fts5 (body, tokenize = 'porter');
CREATE TRIGGER touched AFTER INSERT ON customers BEGIN SELECT 1; END;
CREATE TEMP TABLE session_rows (id INT PRIMARY KEY, customer INT);
CREATE INDEX temp.session_customer ON session_rows (customer);
