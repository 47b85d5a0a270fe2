-- All that reflection and transcripts must cope with, made by hand.
CREATE SCHEMA "Shop";
CREATE SCHEMA ext;
CREATE EXTENSION citext WITH SCHEMA public;
CREATE EXTENSION pg_trgm WITH SCHEMA ext;
CREATE EXTENSION btree_gist WITH SCHEMA public;
CREATE EXTENSION hstore WITH SCHEMA public;
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION "Shop"."any case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TEXT SEARCH CONFIGURATION "Shop".words (COPY = pg_catalog.english);
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE "Shop"."Status" AS ENUM ('Open', 'Closed');
CREATE FUNCTION is_mail(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 LIKE '%@%' $$;
CREATE DOMAIN mail AS citext COLLATE "C" NOT NULL CHECK (is_mail(VALUE::text));
CREATE DOMAIN shouted AS mood DEFAULT 'happy';
CREATE DOMAIN louder AS shouted CHECK (VALUE::mood <> 'sad');
CREATE TYPE money_amount AS (amount numeric(12, 2), currency char(3), mood mood);
CREATE TYPE price_range AS RANGE (subtype = numeric);
CREATE SEQUENCE "Shop".numbers AS smallint INCREMENT 5;
CREATE FUNCTION "Shop".next_number(prefix text DEFAULT 'a') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN prefix || nextval('"Shop".numbers');
END $$;
CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1, '') || $2 $$;
CREATE AGGREGATE glue(text) (sfunc = joined, stype = text, initcond = '');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email mail,
  name varchar(40) COLLATE german,
  "Full Name" text COLLATE "C",
  plain text NOT NULL DEFAULT 'none',
  mood mood DEFAULT 'happy',
  moods mood[],
  loud louder,
  tags hstore,
  price money_amount,
  prices price_range,
  document tsvector GENERATED ALWAYS AS (to_tsvector('"Shop".words'::regconfig, plain)) STORED,
  shout text GENERATED ALWAYS AS (upper(plain)) STORED,
  at timestamptz(3) DEFAULT now(),
  flags bit varying(5),
  "order" int4 CHECK ("order" > 0),
  CONSTRAINT "Bad Name" CHECK (name <> plain COLLATE "C") NO INHERIT,
  CONSTRAINT customers_name_key UNIQUE (name, plain) INCLUDE (at)
);
ALTER TABLE customers ADD CONSTRAINT late CHECK (id > 0) NOT VALID;
CREATE TRIGGER stamp BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE UNIQUE INDEX customers_lower ON customers (lower(plain), id DESC NULLS LAST) WHERE at IS NOT NULL;
CREATE INDEX customers_pattern ON customers (plain text_pattern_ops, name COLLATE "C" varchar_pattern_ops);
CREATE INDEX customers_desc ON customers (at DESC, mood NULLS FIRST) INCLUDE (plain) WITH (fillfactor = 70);
CREATE INDEX customers_trgm ON customers USING gin (plain ext.gin_trgm_ops, "Full Name" ext.gin_trgm_ops);
CREATE INDEX customers_document ON customers USING gin (document) WITH (fastupdate = off);
CREATE INDEX customers_brin ON customers USING brin (at) WITH (pages_per_range = 32);
CREATE INDEX customers_hash ON customers USING hash (plain);
CREATE INDEX "Customers Spgist" ON customers USING spgist (plain);
CREATE INDEX customers_tags ON customers USING gist (tags);
CREATE INDEX customers_expression ON customers ((id + 1), joined(plain, name));
CREATE INDEX customers_partial ON customers (name) WHERE mood = 'it''s ok' AND plain IN ('a', 'b');
CREATE INDEX customers_case ON customers (plain COLLATE "Shop"."any case");
CREATE STATISTICS customers_both (ndistinct, dependencies) ON name, plain FROM customers;
CREATE STATISTICS "Shop".customers_all ON mood, plain, id FROM customers;
CREATE INDEX customers_row ON customers (mood) WHERE false;

CREATE TABLE "Shop"."Orders" (
  "Id" serial,
  customer bigint NOT NULL,
  status "Shop"."Status" NOT NULL,
  number text DEFAULT "Shop".next_number(),
  during tsrange,
  room int,
  PRIMARY KEY ("Id", status),
  UNIQUE (number) DEFERRABLE,
  CONSTRAINT "no overlap" EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0),
  CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE ON UPDATE SET NULL
) WITH (fillfactor = 80);
CREATE INDEX "Orders by Customer" ON "Shop"."Orders" (customer);
CREATE UNLOGGED TABLE "Shop"."tricky "" name" ("select" int, "a,b" text, "100%" int, "c:d" int, "?" int);
CREATE INDEX "tricky "" index" ON "Shop"."tricky "" name" ("a,b", ("select" * 2), "100%", "c:d", "?");

CREATE TABLE events (
  id bigint NOT NULL, at date NOT NULL, kind text NOT NULL DEFAULT 'x', customer bigint REFERENCES customers,
  PRIMARY KEY (id, at, kind), CHECK (id > 0)
) PARTITION BY RANGE (at);
CREATE INDEX events_kind ON events (kind, at DESC);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE "Shop"."events_2025_A" PARTITION OF events_2025 FOR VALUES IN ('a', 'it''s') WITH (fillfactor = 50);
CREATE TABLE events_2025_rest PARTITION OF events_2025 DEFAULT;
CREATE TABLE events_2026 (kind text NOT NULL DEFAULT 'x', customer bigint, junk int, at date NOT NULL, id bigint NOT NULL);
ALTER TABLE events_2026 DROP COLUMN junk;
ALTER TABLE events_2026 ADD CHECK (id > 0);
ALTER TABLE events_2026 RENAME CONSTRAINT events_2026_id_check TO events_id_check;
CREATE INDEX own_name ON events_2026 (kind, at DESC);
ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE INDEX only_here ON events_2026 (customer) WHERE customer IS NOT NULL;
CREATE INDEX events_upper ON events (upper(kind));
CREATE TABLE readings (id int, value numeric) PARTITION BY HASH (id, (value + 1));
CREATE TABLE readings_0 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE readings_1 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE notes (event bigint, at date, kind text, body text, FOREIGN KEY (event, at, kind) REFERENCES events);
CREATE INDEX unfinished ON ONLY readings (id);

CREATE TABLE animals (id serial PRIMARY KEY, name text NOT NULL, CHECK (name <> ''));
CREATE TABLE dogs (breed text, barks boolean DEFAULT true) INHERITS (animals);
CREATE TABLE plants (name text, height int);
CREATE TABLE trees (rings int) INHERITS (plants, animals);
CREATE INDEX dogs_breed ON dogs (breed, barks) WHERE barks;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, "other" int UNIQUE REFERENCES tree ("other"));
CREATE TABLE a_circle (id int PRIMARY KEY, b int);
CREATE TABLE b_circle (id int PRIMARY KEY, a int REFERENCES a_circle);
ALTER TABLE a_circle ADD FOREIGN KEY (b) REFERENCES b_circle DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE empty_table ();

CREATE FUNCTION label(customers) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1.plain || ($1.id)::text $$;
CREATE FUNCTION "All Orders"() RETURNS SETOF "Shop"."Orders" LANGUAGE sql STABLE BEGIN ATOMIC
  SELECT * FROM "Shop"."Orders";
END;
CREATE INDEX customers_label ON customers (label(customers));
CREATE VIEW z_view AS SELECT c.id, c.plain, count(*) AS "How Many" FROM customers c JOIN "Shop"."Orders" o ON o.customer = c.id GROUP BY c.id;
CREATE VIEW a_view WITH (security_barrier) AS SELECT "How Many", id FROM z_view WHERE plain LIKE 'a%';
CREATE MATERIALIZED VIEW m_view AS SELECT a.id, glue(z.plain) AS glued FROM a_view a JOIN z_view z USING (id) GROUP BY a.id WITH NO DATA;
CREATE UNIQUE INDEX m_view_id ON m_view (id);
CREATE INDEX m_view_trgm ON m_view USING gin (glued ext.gin_trgm_ops);
CREATE VIEW b_view AS SELECT label(c.*) AS label FROM customers c, m_view m, "All Orders"() o WHERE m.id = c.id;
CREATE TEMPORARY TABLE not_seen (id int);
