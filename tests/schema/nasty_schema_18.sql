-- What PostgreSQL 18 has besides.
CREATE TABLE virtual_columns (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2), kept int GENERATED ALWAYS AS (id * 3) STORED);
CREATE TABLE bookings (room int, during tsrange, CONSTRAINT bookings_key PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE stays (room int, during tsrange, CONSTRAINT named_not_null NOT NULL room);
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);
CREATE TABLE numbered_1 PARTITION OF numbered FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE hopes (id int CHECK (id > 0) NOT ENFORCED, name text, UNIQUE NULLS NOT DISTINCT (name));
CREATE COLLATION coded (provider = builtin, locale = 'C.UTF-8');
CREATE TABLE coded_names (name text COLLATE coded, other text COLLATE pg_c_utf8);
