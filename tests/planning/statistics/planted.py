"""A database whose rows hold markers that no file of statistics may show, in every kind of statistics there is."""

from __future__ import annotations

ROWS = 6000

MARKERS = (
    "MARKED-CITY",
    "MARKED-ELEMENT",
    "987650",
    "1971-02-03",
    "MARKED-PREFIX",
    "MARKED-MAIL",
    "770011",
    "MARKED-ENUM",
)
"""Texts, elements of arrays, numbers, dates, arrays, expressions, bounds of ranges, labels."""

SCHEMA_TEXTS = ("SCHEMA-PREDICATE", "SCHEMA-EXPRESSION", "SCHEMA-CHECK", "SCHEMA-BOUND")
"""Literals that somebody wrote into the schema."""

DDL = f"""
    CREATE TYPE mood AS ENUM ('MARKED-ENUM', 'calm');
    CREATE TABLE orders (
        id bigserial PRIMARY KEY,
        city text,
        tags text[],
        amount bigint,
        day date,
        during int4range,
        mood mood,
        email varchar(60),
        "Odd.na""me" integer,
        at timestamptz DEFAULT now(),
        CHECK (city <> 'SCHEMA-CHECK')
    );
    INSERT INTO orders (city, tags, amount, day, during, mood, email, "Odd.na""me")
    SELECT 'MARKED-CITY ' || i % 40, ARRAY['MARKED-ELEMENT ' || i % 3, 'plain'], 9876500000 + i % 9,
        date '1971-02-03' + i % 2, int4range(770011, 770012 + i % 50), 'MARKED-ENUM',
        'MARKED-MAIL' || i || '@example.org', nullif(i % 7, 0)
    FROM generate_series(1, {ROWS}) i;
    CREATE INDEX ix_city ON orders (city DESC NULLS LAST, amount);
    CREATE INDEX ix_pattern ON orders (city text_pattern_ops, "Odd.na""me" NULLS FIRST);
    CREATE INDEX ix_c ON orders (city COLLATE "C", id);
    CREATE INDEX ix_lower ON orders (lower(email), (coalesce(city, 'SCHEMA-EXPRESSION') || 'x'));
    CREATE INDEX ix_partial ON orders (amount, id) WHERE city <> 'SCHEMA-PREDICATE';
    CREATE INDEX ix_include ON orders (amount) INCLUDE (email);
    CREATE INDEX ix_gin ON orders USING gin (tags);
    CREATE INDEX ix_hash ON orders USING hash (city);
    CREATE STATISTICS pairs (ndistinct, dependencies, mcv) ON city, amount FROM orders;

    CREATE TABLE deep (key text);
    INSERT INTO deep
    SELECT (SELECT string_agg(md5(i || '/' || j), '') FROM generate_series(1, 30) j) FROM generate_series(1, 2000) i;
    CREATE INDEX ix_deep ON deep (key);

    CREATE TABLE events (id integer, kind integer) PARTITION BY RANGE (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (2000);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (2000) TO (9999) PARTITION BY RANGE (id);
    CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES FROM (2000) TO (9999);
    CREATE INDEX ix_events ON events (id);
    INSERT INTO events SELECT i, i % 5 FROM generate_series(1, {ROWS}) i;
    CREATE TABLE shelves (label text) PARTITION BY LIST (label);
    CREATE TABLE shelves_1 PARTITION OF shelves FOR VALUES IN ('SCHEMA-BOUND');

    CREATE MATERIALIZED VIEW cities AS SELECT city, count(*) AS orders FROM orders GROUP BY city;
    CREATE VIEW seen AS SELECT * FROM orders;
    CREATE TABLE empty (id integer);
    CREATE SCHEMA "Sales.eu";
    CREATE TABLE "Sales.eu".quotas AS SELECT i AS id, 'MARKED-PREFIX' || i AS name FROM generate_series(1, 50) i;
"""
