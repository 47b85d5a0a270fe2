"""Rows of TPC-H with the cardinalities and value ranges that its specification publishes, made by the server itself."""

from __future__ import annotations

from collections.abc import Iterator

COLOURS = (
    "almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished"
    " chartreuse chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab"
    " firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki"
    " lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty"
    " moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder puff purple red"
    " rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle"
    " tomato turquoise violet wheat white yellow"
)
NATIONS = (
    "ALGERIA:0 ARGENTINA:1 BRAZIL:1 CANADA:1 EGYPT:4 ETHIOPIA:0 FRANCE:3 GERMANY:3 INDIA:2 INDONESIA:2 IRAN:4 IRAQ:4"
    " JAPAN:2 JORDAN:4 KENYA:0 MOROCCO:0 MOZAMBIQUE:0 PERU:1 CHINA:2 ROMANIA:3 SAUDI_ARABIA:4 VIETNAM:2 RUSSIA:3"
    " UNITED_KINGDOM:3 UNITED_STATES:1"
)
REGIONS = "AFRICA AMERICA ASIA EUROPE MIDDLE_EAST"
SEGMENTS = "AUTOMOBILE BUILDING FURNITURE HOUSEHOLD MACHINERY"
PRIORITIES = "1-URGENT 2-HIGH 3-MEDIUM 4-NOT_SPECIFIED 5-LOW"
MODES = "AIR FOB MAIL RAIL REG_AIR SHIP TRUCK"
INSTRUCTIONS = "COLLECT_COD DELIVER_IN_PERSON NONE TAKE_BACK_RETURN"
TYPES = (
    "STANDARD SMALL MEDIUM LARGE ECONOMY PROMO",
    "ANODIZED BURNISHED PLATED POLISHED BRUSHED",
    "TIN NICKEL BRASS STEEL COPPER",
)
CONTAINERS = ("SM LG MED JUMBO WRAP", "CASE BOX BAG JAR PKG PACK CAN DRUM")

FUNCTIONS = (
    # a whole number from 0 to below n, the same on every server for the same key and column
    """CREATE FUNCTION pick(key bigint, salt bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT (hashint8extended(key, salt) & 9223372036854775807) % n'""",
    """CREATE FUNCTION word(key bigint, salt bigint, words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
        'SELECT replace(words[1 + pick(key, salt, cardinality(words))], ''_'', '' '')'""",
    """CREATE FUNCTION prose(key bigint, salt bigint, shortest int, longest int) RETURNS text LANGUAGE sql IMMUTABLE AS
        'SELECT left(md5(key::text || salt) || '' '' || md5(salt || key::text) || '' '' || md5(key::text),
            (shortest + pick(key, salt, longest - shortest + 1))::int)'""",
)


def _words(text: str) -> str:
    return "'{" + ",".join(text.split()) + "}'::text[]"


def statements(scale: float) -> Iterator[str]:
    """Yield the statements that fill the tables; at a scale of 1 `lineitem` has six million rows."""
    yield from FUNCTIONS
    yield from _lists()
    yield from _parties(int(10_000 * scale), int(150_000 * scale))
    yield from _parts(int(200_000 * scale), int(10_000 * scale))
    yield from _orders(int(150_000 * scale), int(200_000 * scale), int(10_000 * scale))


def _lists() -> Iterator[str]:
    yield f"""INSERT INTO region SELECT n - 1, replace(name, '_', ' '), prose(n, 1, 31, 97)
        FROM unnest({_words(REGIONS)}) WITH ORDINALITY AS t (name, n)"""
    yield f"""INSERT INTO nation SELECT n - 1, replace(split_part(name, ':', 1), '_', ' '),
        split_part(name, ':', 2)::int, prose(n, 2, 31, 97)
        FROM unnest({_words(NATIONS)}) WITH ORDINALITY AS t (name, n)"""


def _parties(suppliers: int, customers: int) -> Iterator[str]:
    groups = ("(100 + pick(k, 4, 900))", "(100 + pick(k, 5, 900))", "(1000 + pick(k, 6, 9000))")
    phone = " || '-' || ".join(("(10 + nation)", *groups))
    yield f"""INSERT INTO supplier SELECT k, 'Supplier#' || lpad(k::text, 9, '0'), prose(k, 3, 10, 40), nation, {phone},
        (pick(k, 7, 1099999) - 99999) / 100.0,
        CASE WHEN pick(k, 9, 2000) = 0 THEN 'Customer some Complaints ' ELSE '' END || prose(k, 8, 25, 75)
        FROM (SELECT k, pick(k, 10, 25) AS nation FROM generate_series(1, {suppliers}) AS k) AS t"""
    yield f"""INSERT INTO customer SELECT k, 'Customer#' || lpad(k::text, 9, '0'), prose(k, 11, 10, 40), nation,
        {phone.replace("k, ", "k, 1")}, (pick(k, 12, 1099999) - 99999) / 100.0, word(k, 13, {_words(SEGMENTS)}),
        prose(k, 14, 29, 98)
        FROM (SELECT k, pick(k, 15, 25) AS nation FROM generate_series(1, {customers}) AS k) AS t"""


def _parts(parts: int, suppliers: int) -> Iterator[str]:
    colours = " || ' ' || ".join(f"word(k, {salt}, {_words(COLOURS)})" for salt in range(20, 25))
    kind = " || ' ' || ".join(f"word(k, {salt}, {_words(words)})" for salt, words in enumerate(TYPES, 25))
    container = " || ' ' || ".join(f"word(k, {salt}, {_words(words)})" for salt, words in enumerate(CONTAINERS, 28))
    yield f"""INSERT INTO part SELECT k, {colours}, 'Manufacturer#' || maker, 'Brand#' || maker || 1 + pick(k, 31, 5),
        {kind}, 1 + pick(k, 32, 50), {container},
        (90000 + k / 10 % 20001 + 100 * (k % 1000)) / 100.0, prose(k, 33, 5, 22)
        FROM (SELECT k, 1 + pick(k, 34, 5) AS maker FROM generate_series(1, {parts}) AS k) AS t"""
    yield f"""INSERT INTO partsupp SELECT k, {_supplier("k", "i", suppliers)}, 1 + pick(k * 4 + i, 35, 9999),
        (100 + pick(k * 4 + i, 36, 99901)) / 100.0, prose(k * 4 + i, 37, 49, 198)
        FROM generate_series(1, {parts}) AS k, generate_series(0, 3) AS i"""


def _supplier(part: str, number: str, suppliers: int) -> str:
    """Return the supplier of a part: one of four that stand a quarter of all suppliers apart."""
    return f"({part} + {number} * ({suppliers} / 4 + ({part} - 1) / {suppliers})) % {suppliers} + 1"


def _orders(customers: int, parts: int, suppliers: int) -> Iterator[str]:
    """Orders of two customers in three; keys leave gaps; the lines of an order are one to seven."""
    yield f"""CREATE TABLE line AS SELECT key, i, day, part, quantity,
            day + (1 + pick(key * 8 + i, 42, 121))::int AS shipped, pick(key * 8 + i, 43, 4) AS nth
        FROM (SELECT n, n / 8 * 32 + n % 8 + 1 AS key, date '1992-01-01' + pick(n, 40, 2406)::int AS day
              FROM generate_series(0, {customers} * 10 - 1) AS n) AS o
        CROSS JOIN LATERAL generate_series(1, 1 + pick(key, 41, 7)) AS i
        CROSS JOIN LATERAL (SELECT 1 + pick(key * 8 + i, 44, {parts}) AS part,
            1 + pick(key * 8 + i, 45, 50) AS quantity) AS p"""
    yield f"""INSERT INTO lineitem SELECT key, part, {_supplier("part", "nth", suppliers)}, i, quantity,
            quantity * (90000 + part / 10 % 20001 + 100 * (part % 1000)) / 100.0, pick(key * 8 + i, 46, 11) / 100.0,
            pick(key * 8 + i, 47, 9) / 100.0,
            CASE WHEN received > date '1995-06-17' THEN 'N' WHEN pick(key * 8 + i, 48, 2) = 0 THEN 'R' ELSE 'A' END,
            CASE WHEN shipped > date '1995-06-17' THEN 'O' ELSE 'F' END, shipped,
            day + (30 + pick(key * 8 + i, 49, 61))::int, received, word(key * 8 + i, 50, {_words(INSTRUCTIONS)}),
            word(key * 8 + i, 51, {_words(MODES)}), prose(key * 8 + i, 52, 10, 43)
        FROM (SELECT *, shipped + (1 + pick(key * 8 + i, 53, 30))::int AS received FROM line) AS t ORDER BY key, i"""
    yield f"""INSERT INTO orders SELECT key, 3 * (c / 2) + c % 2 + 1,
            CASE WHEN min(linestatus) = 'O' THEN 'O' WHEN max(linestatus) = 'F' THEN 'F' ELSE 'P' END,
            sum(price), day, word(key, 55, {_words(PRIORITIES)}),
            'Clerk#' || lpad((1 + pick(key, 56, greatest({customers} / 150, 1)))::text, 9, '0'), 0,
            prose(key, 57, 19, 78)
        FROM (SELECT l_orderkey AS key, l_linestatus AS linestatus,
              l_extendedprice * (1 + l_tax) * (1 - l_discount) AS price FROM lineitem) AS l
        JOIN (SELECT key, min(day) AS day, pick(key, 54, {customers} * 2 / 3) AS c FROM line GROUP BY key) AS o
        USING (key)
        GROUP BY key, day, c ORDER BY key"""
    yield "DROP TABLE line"
