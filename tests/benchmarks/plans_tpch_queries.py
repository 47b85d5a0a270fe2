"""The 22 questions that TPC-H asks, in spellings of our own, each with two sets of values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count

_HOLE = re.compile(r"\{(\d+)\}")
_VALUE = re.compile(
    r"(?P<kept>LIKE[ _]'[^']*')|(?P<date>date )?'[^']*'"
    r"|(?P<before>BETWEEN |(?<=\d) AND |(?<=IN \()|(?<=\d, ))(?P<number>\d+)(?![.\d])"
)
_REVENUE = "l_extendedprice * (1 - l_discount)"
_Question = tuple[str, str, tuple[str, ...], tuple[str, ...]]
_QUESTIONS: tuple[_Question, ...] = (
    (
        f"""SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum({_REVENUE}),
            sum({_REVENUE} * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
        FROM lineitem WHERE l_shipdate <= {{0}} GROUP BY l_returnflag, l_linestatus
        ORDER BY l_returnflag, l_linestatus""",
        "date",
        ("1998-09-02",),
        ("1998-08-12",),
    ),
    (
        """SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
        FROM part JOIN partsupp ON ps_partkey = p_partkey JOIN supplier ON s_suppkey = ps_suppkey
        JOIN nation ON n_nationkey = s_nationkey JOIN region ON r_regionkey = n_regionkey
        WHERE p_size = {0} AND p_type LIKE {1} AND r_name = {2} AND ps_supplycost = (
            SELECT min(o.ps_supplycost) FROM partsupp o JOIN supplier t ON t.s_suppkey = o.ps_suppkey
            JOIN nation m ON m.n_nationkey = t.s_nationkey JOIN region q ON q.r_regionkey = m.n_regionkey
            WHERE o.ps_partkey = p_partkey AND q.r_name = {2})
        ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100""",
        "int pattern bpchar",
        ("15", "%BRASS", "EUROPE"),
        ("38", "%TIN", "AFRICA"),
    ),
    (
        f"""SELECT l_orderkey, sum({_REVENUE}) AS revenue, o_orderdate, o_shippriority
        FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
        WHERE c_mktsegment = {{0}} AND o_orderdate < {{1}} AND l_shipdate > {{1}}
        GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate LIMIT 10""",
        "bpchar date",
        ("BUILDING", "1995-03-15"),
        ("MACHINERY", "1995-03-03"),
    ),
    (
        """SELECT o_orderpriority, count(*) FROM orders
        WHERE o_orderdate >= {0} AND o_orderdate < {1} AND EXISTS (
            SELECT FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
        GROUP BY o_orderpriority ORDER BY o_orderpriority""",
        "date date",
        ("1993-07-01", "1993-10-01"),
        ("1996-02-01", "1996-05-01"),
    ),
    (
        f"""SELECT n_name, sum({_REVENUE}) AS revenue
        FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
        JOIN supplier ON s_suppkey = l_suppkey AND s_nationkey = c_nationkey
        JOIN nation ON n_nationkey = s_nationkey JOIN region ON r_regionkey = n_regionkey
        WHERE r_name = {{0}} AND o_orderdate >= {{1}} AND o_orderdate < {{2}} GROUP BY n_name ORDER BY revenue DESC""",
        "bpchar date date",
        ("ASIA", "1994-01-01", "1995-01-01"),
        ("AMERICA", "1996-01-01", "1997-01-01"),
    ),
    (
        """SELECT sum(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= {0} AND l_shipdate < {1}
        AND l_discount BETWEEN {2} AND {3} AND l_quantity < {4}""",
        "date date numeric numeric numeric",
        ("1994-01-01", "1995-01-01", "0.05", "0.07", "24"),
        ("1997-01-01", "1998-01-01", "0.02", "0.04", "25"),
    ),
    (
        f"""SELECT seller, buyer, year, sum(volume) FROM (
            SELECT a.n_name AS seller, b.n_name AS buyer, extract(year FROM l_shipdate) AS year, {_REVENUE} AS volume
            FROM lineitem JOIN supplier ON s_suppkey = l_suppkey JOIN orders ON o_orderkey = l_orderkey
            JOIN customer ON c_custkey = o_custkey JOIN nation a ON a.n_nationkey = s_nationkey
            JOIN nation b ON b.n_nationkey = c_nationkey
            WHERE ((a.n_name = {{0}} AND b.n_name = {{1}}) OR (a.n_name = {{1}} AND b.n_name = {{0}}))
            AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS trade
        GROUP BY seller, buyer, year ORDER BY seller, buyer, year""",
        "bpchar bpchar",
        ("FRANCE", "GERMANY"),
        ("KENYA", "PERU"),
    ),
    (
        f"""SELECT year, sum(CASE WHEN nation = {{0}} THEN volume ELSE 0 END) / sum(volume) FROM (
            SELECT extract(year FROM o_orderdate) AS year, {_REVENUE} AS volume, b.n_name AS nation
            FROM part JOIN lineitem ON l_partkey = p_partkey JOIN supplier ON s_suppkey = l_suppkey
            JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey
            JOIN nation a ON a.n_nationkey = c_nationkey JOIN region ON r_regionkey = a.n_regionkey
            JOIN nation b ON b.n_nationkey = s_nationkey
            WHERE r_name = {{1}} AND p_type = {{2}}
            AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS sales
        GROUP BY year ORDER BY year""",
        "bpchar bpchar text",
        ("BRAZIL", "AMERICA", "ECONOMY ANODIZED STEEL"),
        ("JAPAN", "ASIA", "SMALL PLATED COPPER"),
    ),
    (
        f"""SELECT nation, year, sum(amount) FROM (
            SELECT n_name AS nation, extract(year FROM o_orderdate) AS year,
                {_REVENUE} - ps_supplycost * l_quantity AS amount
            FROM part JOIN lineitem ON l_partkey = p_partkey JOIN supplier ON s_suppkey = l_suppkey
            JOIN partsupp ON ps_suppkey = l_suppkey AND ps_partkey = l_partkey
            JOIN orders ON o_orderkey = l_orderkey JOIN nation ON n_nationkey = s_nationkey
            WHERE p_name LIKE {{0}}) AS profit
        GROUP BY nation, year ORDER BY nation, year DESC""",
        "pattern",
        ("%green%",),
        ("%misty%",),
    ),
    (
        f"""SELECT c_custkey, c_name, sum({_REVENUE}) AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment
        FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
        JOIN nation ON n_nationkey = c_nationkey
        WHERE o_orderdate >= {{0}} AND o_orderdate < {{1}} AND l_returnflag = 'R'
        GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC LIMIT 20""",
        "date date",
        ("1993-10-01", "1994-01-01"),
        ("1994-05-01", "1994-08-01"),
    ),
    (
        """SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value
        FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey
        WHERE n_name = {0} GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) > (
            SELECT sum(ps_supplycost * ps_availqty) * 0.001 FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey
            JOIN nation ON n_nationkey = s_nationkey WHERE n_name = {0}) ORDER BY value DESC""",
        "bpchar",
        ("GERMANY",),
        ("PERU",),
    ),
    (
        """SELECT l_shipmode, count(*) FILTER (WHERE o_orderpriority IN ('1-URGENT', '2-HIGH')),
            count(*) FILTER (WHERE o_orderpriority NOT IN ('1-URGENT', '2-HIGH'))
        FROM orders JOIN lineitem ON l_orderkey = o_orderkey WHERE l_shipmode IN ({0}, {1})
        AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= {2} AND l_receiptdate < {3}
        GROUP BY l_shipmode ORDER BY l_shipmode""",
        "bpchar bpchar date date",
        ("MAIL", "SHIP", "1994-01-01", "1995-01-01"),
        ("RAIL", "FOB", "1996-01-01", "1997-01-01"),
    ),
    (
        """SELECT orders, count(*) AS customers FROM (
            SELECT c_custkey, count(o_orderkey) AS orders FROM customer
            LEFT JOIN orders ON o_custkey = c_custkey AND o_comment NOT LIKE {0} GROUP BY c_custkey) AS counted
        GROUP BY orders ORDER BY customers DESC, orders DESC""",
        "pattern",
        ("%special%requests%",),
        ("%a1%b2%",),
    ),
    (
        f"""SELECT 100 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN {_REVENUE} ELSE 0 END) / sum({_REVENUE})
        FROM lineitem JOIN part ON p_partkey = l_partkey WHERE l_shipdate >= {{0}} AND l_shipdate < {{1}}""",
        "date date",
        ("1995-09-01", "1995-10-01"),
        ("1993-02-01", "1993-03-01"),
    ),
    (
        f"""WITH earned AS (SELECT l_suppkey AS supplier, sum({_REVENUE}) AS revenue FROM lineitem
            WHERE l_shipdate >= {{0}} AND l_shipdate < {{1}} GROUP BY l_suppkey)
        SELECT s_suppkey, s_name, s_address, s_phone, revenue FROM supplier JOIN earned ON supplier = s_suppkey
        WHERE revenue = (SELECT max(revenue) FROM earned) ORDER BY s_suppkey""",
        "date date",
        ("1996-01-01", "1996-04-01"),
        ("1994-07-01", "1994-10-01"),
    ),
    (
        """SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS suppliers
        FROM partsupp JOIN part ON p_partkey = ps_partkey
        WHERE p_brand <> {0} AND p_type NOT LIKE {1} AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
        AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')
        GROUP BY p_brand, p_type, p_size ORDER BY suppliers DESC, p_brand, p_type, p_size""",
        "bpchar pattern",
        ("Brand#45", "MEDIUM POLISHED%"),
        ("Brand#11", "LARGE PLATED%"),
    ),
    (
        """SELECT sum(l_extendedprice) / 7 FROM lineitem JOIN part ON p_partkey = l_partkey
        WHERE p_brand = {0} AND p_container = {1}
        AND l_quantity < (SELECT avg(i.l_quantity) / 5 FROM lineitem i WHERE i.l_partkey = p_partkey)""",
        "bpchar bpchar",
        ("Brand#23", "MED BOX"),
        ("Brand#54", "JUMBO PKG"),
    ),
    (
        """SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)
        FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
        WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > {0})
        GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
        ORDER BY o_totalprice DESC, o_orderdate LIMIT 100""",
        "numeric",
        ("300",),
        ("313",),
    ),
    (
        f"""SELECT sum({_REVENUE}) FROM lineitem JOIN part ON p_partkey = l_partkey
        WHERE l_shipmode IN ('AIR', 'REG AIR') AND l_shipinstruct = 'DELIVER IN PERSON' AND (
            (p_brand = {{0}} AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG')
                AND l_quantity BETWEEN 1 AND 11 AND p_size BETWEEN 1 AND 5)
            OR (p_brand = {{1}} AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK')
                AND l_quantity BETWEEN 10 AND 20 AND p_size BETWEEN 1 AND 10)
            OR (p_brand = {{2}} AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG')
                AND l_quantity BETWEEN 20 AND 30 AND p_size BETWEEN 1 AND 15))""",
        "bpchar bpchar bpchar",
        ("Brand#12", "Brand#23", "Brand#34"),
        ("Brand#55", "Brand#41", "Brand#13"),
    ),
    (
        """SELECT s_name, s_address FROM supplier JOIN nation ON n_nationkey = s_nationkey
        WHERE n_name = {1} AND s_suppkey IN (SELECT ps_suppkey FROM partsupp
            WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE {0}) AND ps_availqty > (
                SELECT sum(l_quantity) / 2 FROM lineitem WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey
                AND l_shipdate >= {2} AND l_shipdate < {3})) ORDER BY s_name""",
        "pattern bpchar date date",
        ("forest%", "CANADA", "1994-01-01", "1995-01-01"),
        ("lime%", "JORDAN", "1996-01-01", "1997-01-01"),
    ),
    (
        """SELECT s_name, count(*) AS waits FROM supplier JOIN lineitem l ON l.l_suppkey = s_suppkey
        JOIN orders ON o_orderkey = l.l_orderkey JOIN nation ON n_nationkey = s_nationkey
        WHERE o_orderstatus = 'F' AND n_name = {0} AND l.l_receiptdate > l.l_commitdate
        AND EXISTS (SELECT FROM lineitem m WHERE m.l_orderkey = l.l_orderkey AND m.l_suppkey <> l.l_suppkey)
        AND NOT EXISTS (SELECT FROM lineitem n WHERE n.l_orderkey = l.l_orderkey AND n.l_suppkey <> l.l_suppkey
            AND n.l_receiptdate > n.l_commitdate)
        GROUP BY s_name ORDER BY waits DESC, s_name LIMIT 100""",
        "bpchar",
        ("SAUDI ARABIA",),
        ("CHINA",),
    ),
    (
        """SELECT prefix, count(*), sum(c_acctbal) FROM (
            SELECT substring(c_phone FROM 1 FOR 2) AS prefix, c_acctbal FROM customer
            WHERE substring(c_phone FROM 1 FOR 2) IN ({0}, {1}, {2})
            AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0
                AND substring(c_phone FROM 1 FOR 2) IN ({0}, {1}, {2}))
            AND NOT EXISTS (SELECT FROM orders WHERE o_custkey = c_custkey)) AS sleepers
        GROUP BY prefix ORDER BY prefix""",
        "text text text",
        ("13", "31", "23"),
        ("20", "17", "34"),
    ),
)
"""Text with holes, types of what fills them, and two sets of values."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question: its text with numbered holes, the types of what fills them, and two sets of values."""

    number: int
    text: str
    types: tuple[str, ...]
    values: tuple[tuple[str, ...], tuple[str, ...]]

    def literal(self, seed: int) -> str:
        """Return the text with the values of a set."""
        values = self.values[seed]
        types = [name.replace("pattern", "text") for name in self.types]
        return _HOLE.sub(lambda hole: f"'{values[int(hole[1])]}'::{types[int(hole[1])]}", self.text)

    def generic(self) -> str:
        """Return the text as a library sends it: each value a parameter.

        LIKE patterns stay: nothing can be said of a pattern that is not known, and dbguard leaves them in as well.
        """
        numbers = count(1)
        holes: dict[int, str] = {}

        def hole(found: re.Match[str]) -> str:
            place = int(found[1])
            if self.types[place] == "pattern":
                return f"LIKE_'{self.values[0][place]}'"
            if place not in holes:
                holes[place] = f"${next(numbers)}::{self.types[place]}"
            return holes[place]

        def value(found: re.Match[str]) -> str:
            if found["kept"]:
                return found[0]
            kind = "date" if found["date"] else "int" if found["number"] else "bpchar"
            return f"{found['before'] or ''}${next(numbers)}::{kind}"

        return _VALUE.sub(value, _HOLE.sub(hole, self.text)).replace("LIKE_", "")


def queries() -> tuple[Query, ...]:
    """Return all of them in order."""
    return tuple(
        Query(number, text, tuple(types.split()), (tuple(first), tuple(second)))
        for number, (text, types, first, second) in enumerate(_QUESTIONS, 1)
    )
