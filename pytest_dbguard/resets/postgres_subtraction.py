"""Takes what one fixture of wider scope wrote out of what a later one, which outlives it, has found."""

from __future__ import annotations

from pytest_dbguard.resets.postgres_session import PostgresSession
from pytest_dbguard.resets.postgres_state import Copy

# Rows are compared by their text, since not every type has an equality; the numbers tell equal rows apart.
_ADDED = """
SELECT r, row_number() OVER (PARTITION BY r) AS n
FROM (SELECT t::text AS r FROM {lower} t EXCEPT ALL {below}) added
"""
_REMOVED = """
SELECT r, row_number() OVER (PARTITION BY r) AS n
FROM ({below} EXCEPT ALL SELECT t::text FROM {lower} t) removed
"""
_DELETE = """
DELETE FROM {upper} WHERE ctid = ANY (ARRAY(
    SELECT found.ctid
    FROM (SELECT ctid, t::text AS r, row_number() OVER (PARTITION BY t::text) AS n FROM {upper} t) found
    JOIN ({added}) added USING (r, n)))
"""
_INSERT = """
INSERT INTO {upper} SELECT (found.t).*
FROM (SELECT t, t::text AS r, row_number() OVER (PARTITION BY t::text) AS n FROM {below} t) found
JOIN ({removed}) removed USING (r, n)
"""


def take_out(session: PostgresSession, upper: Copy, lower: Copy, below: Copy | None) -> None:
    """Leave in a copy of a table only what would be there if the fixture of the `lower` copy had not written.

    A row that both fixtures changed stays as the later one left it.

    Args:
        session: A session of the database.
        upper: What the table held when the later fixture had written.
        lower: What it held when the earlier one had.
        below: What it held before both; None for nothing.
    """
    rows_below = f"SELECT t::text AS r FROM {below.name} t" if below else "SELECT NULL::text AS r WHERE false"
    names = {"upper": upper.name, "lower": lower.name, "below": rows_below}
    ((before,),) = session.run(f"SELECT count(*) FROM {upper.name}")
    ((added,),) = session.run(f"SELECT count(*) FROM ({_ADDED.format(**names)}) a")
    session.run(_DELETE.format(added=_ADDED.format(**names), **names))
    ((after,),) = session.run(f"SELECT count(*) FROM {upper.name}")
    is_untouched = int(before or 0) - int(after or 0) == int(added or 0)
    if below is not None and is_untouched:
        session.run(_INSERT.format(upper=upper.name, below=below.name, removed=_REMOVED.format(**names)))
        ((after,),) = session.run(f"SELECT count(*) FROM {upper.name}")
    upper.rows = int(after or 0)
    # no table reads like that: it is filled again with the next cleaning
    upper.signature = upper.first_signature = ""
