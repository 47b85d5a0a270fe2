"""Forty tables of a product with many tenants: what they hold, as lines, and the statements that make and fill them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TABLES = """
plans 6: name words 2; price money 500; is_public flag 80
tenants 300: plan_id ref plans; slug token; name words 2; state of active:88 trial:9 closed:3;
    region of eu:50 us:40 ap:10; created_at at 1800
tenant_settings 300: tenant_id ref tenants; locale of en:60 de:25 fr:15; timezone words 1; theme of light:70 dark:30
users 12000: email email; name words 2; password_hash token; is_active flag 93; last_login_at maybe_at 400 85;
    created_at at 1800
roles 40: tenant_id maybe tenants 50; name words 1; is_system flag 20
role_permissions 400: role_id ref roles; permission words 2
memberships 18000: tenant_id skew tenants; user_id ref users; role_id ref roles; state of active:90 invited:6 left:4;
    created_at at 1800
api_keys 1500: tenant_id skew tenants; user_id ref users; key_hash token; name words 2; revoked_at maybe_at 300 20;
    created_at at 900
sessions 60000: user_id ref users; token token; ip words 1; user_agent text 40 120; revoked_at maybe_at 60 30;
    last_seen_at at 90; expires_at maybe_at 30 100
invitations 4000: tenant_id skew tenants; email email; token token; accepted_at maybe_at 700 75; created_at at 700
teams 1500: tenant_id skew tenants; name words 2; created_at at 1500
team_members 9000 pair: team_id ref teams; user_id ref users; is_lead flag 12
projects 4000: tenant_id skew tenants; team_id ref teams; owner_id ref users; name words 3;
    state of active:70 archived:25 draft:5; archived_at maybe_at 700 25; created_at at 1500
project_members 16000 pair: project_id ref projects; user_id ref users; role of viewer:50 editor:40 owner:10
labels 5000: tenant_id skew tenants; name words 1; colour token
milestones 6000: project_id ref projects; name words 2; state of open:40 closed:60; due_on day 800
issues 120000: tenant_id skew tenants; project_id skew projects; milestone_id maybe milestones 40; author_id ref users;
    assignee_id maybe users 70; number int 1 5000; title text 20 90; body text 60 100;
    state of done:68 open:18 doing:9 blocked:5; priority of none:55 low:20 high:18 urgent:7; points int 0 13;
    due_on maybe_day 700 35; deleted_at maybe_at 600 4; created_at at 1500; updated_at at 1200
issue_labels 140000 pair: issue_id ref issues; label_id ref labels
issue_watchers 90000 pair: issue_id ref issues; user_id ref users; is_muted flag 5
comments 240000: issue_id skew issues; author_id ref users; body text 40 100; is_internal flag 15;
    deleted_at maybe_at 600 3; created_at at 1500
attachments 40000: issue_id ref issues; user_id ref users; file_name words 3; content_type of png:50 pdf:30 csv:20;
    size_bytes int 100 90000000; created_at at 1500
time_entries 110000: tenant_id skew tenants; issue_id ref issues; user_id ref users; minutes int 1 480;
    spent_on day 1200; is_billable flag 60; invoice_line_id maybe invoice_lines 45; note text 10 60
boards 3000: project_id ref projects; name words 2; is_default flag 50
board_columns 15000: board_id ref boards; name words 1; position int 0 9; card_limit int 0 30
cards 60000: board_column_id ref board_columns; issue_id ref issues; position int 0 400; moved_at at 500
customers 30000: tenant_id skew tenants; name words 2; email email; country of de:40 us:30 fr:20 jp:10;
    state of active:80 lead:15 lost:5; external_ref token; created_at at 1500
contacts 45000: customer_id ref customers; name words 2; email email; phone words 1; is_primary flag 60
subscriptions 2500: tenant_id ref tenants; plan_id ref plans; state of active:80 past_due:8 cancelled:12;
    renews_on day 360; created_at at 1500
products 5000: tenant_id skew tenants; sku token; name words 3; is_active flag 75; created_at at 1500
prices 8000: product_id ref products; currency of eur:60 usd:40; amount money 2000; valid_from day 1500
invoices 40000: tenant_id skew tenants; customer_id skew customers; number token;
    state of paid:82 open:10 overdue:5 void:3; total money 9000; issued_on day 1500; due_on day 1500;
    paid_at maybe_at 1500 82; created_at at 1500
invoice_lines 150000: invoice_id ref invoices; product_id skew products; quantity int 1 40; unit_price money 2000;
    description text 15 70
payments 38000: invoice_id ref invoices; method of card:70 transfer:25 cash:5; provider_ref token;
    state of settled:93 pending:4 failed:3; amount money 9000; received_at at 1500
refunds 1200: payment_id ref payments; amount money 900; reason text 10 50; created_at at 1500
tickets 60000: tenant_id skew tenants; customer_id ref customers; agent_id maybe users 75; subject text 20 80;
    state of closed:82 open:10 pending:8; channel of mail:60 chat:30 phone:10; priority int 1 5;
    first_reply_at maybe_at 900 85; created_at at 900; updated_at at 700
ticket_messages 170000: ticket_id ref tickets; author_id maybe users 50; direction of in:55 out:45; body text 60 100;
    sent_at at 900
audit_events 260000: tenant_id skew tenants; actor_id maybe users 90; action words 2;
    entity of issue:50 invoice:20 ticket:20 user:10; entity_id int 1 120000; ip words 1; at at 400
notifications 180000: user_id ref users; kind of mention:40 assign:30 due:20 digest:10; issue_id maybe issues 80;
    read_at maybe_at 200 80; created_at at 200
webhooks 1200: tenant_id skew tenants; url text 30 80; secret token; is_active flag 85; created_at at 900
webhook_deliveries 110000: webhook_id skew webhooks; event words 2; state of ok:93 failed:5 queued:2; attempts int 1 6;
    response_code int 200 503; next_try_at maybe_at 5 7; created_at at 60
"""
"""Name and rows, then columns: a name, what it holds, and that one's arguments. Rows are those at a scale of 1."""

NOW = "timestamptz '2026-06-30 00:00+00'"
FUNCTIONS = (
    # evenly from 0 to below 1, the same on every server for the same row and column
    """CREATE FUNCTION u(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
        'SELECT (hashint8extended(n, salt) & 281474976710655)::float8 / 281474976710656.0'""",
    """CREATE FUNCTION w(n bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
        'SELECT substr(md5((hashint8extended(n, salt) & 4095)::text), 1, 7)'""",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in SQL, and the expression that fills row `n`."""

    name: str
    type: str
    value: str
    refers_to: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; a pair has its first two columns for its key, others a column `id`."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    is_pair: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All columns in order."""
        return (*(() if self.is_pair else ("id",)), *(column.name for column in self.columns))


def tables(scale: float = 1.0) -> tuple[Table, ...]:
    """Return all tables in order."""
    heads = [text.partition(":") for text in TABLES.strip().replace("\n    ", " ").splitlines()]
    sizes = {head.split()[0]: _rows(int(head.split()[1]), scale) for head, _, _ in heads}
    return tuple(
        Table(
            head.split()[0],
            sizes[head.split()[0]],
            tuple(
                _column(text.split(), sizes, 100 * number + place, sizes[head.split()[0]])
                for place, text in enumerate(body.split(";"))
            ),
            head.endswith("pair"),
        )
        for number, (head, _, body) in enumerate(heads)
    )


def _rows(rows: int, scale: float) -> int:
    """Lists stay what they are."""
    return rows if rows <= 500 else max(int(rows * scale), 500)


def _column(words: list[str], sizes: dict[str, int], salt: int, rows: int) -> Column:
    name, kind, *given = words
    u = f"u(n, {salt})"
    match kind:
        case "ref":
            return Column(name, "bigint NOT NULL", f"1 + floor({u} * {sizes[given[0]]})", given[0])
        case "skew":
            return Column(name, "bigint NOT NULL", f"1 + floor(power({u}, 2.2) * {sizes[given[0]]})", given[0])
        case "maybe":
            value = _sometimes(f"1 + floor({u} * {sizes[given[0]]})", salt, given[1])
            return Column(name, "bigint", value, given[0])
        case "of":
            pairs = [each.split(":") for each in given]
            bounds = [sum(int(share) for _, share in pairs[: number + 1]) / 100 for number in range(len(pairs) - 1)]
            texts = ",".join(f"'{text}'" for text, _ in pairs)
            return Column(name, "varchar(20) NOT NULL", f"(ARRAY[{texts}])[1 + width_bucket({u}, ARRAY{bounds})]")
        case "at":
            return Column(name, "timestamptz NOT NULL", _moment(u, int(given[0]), rows))
        case "maybe_at":
            return Column(name, "timestamptz", _sometimes(_moment(u, int(given[0]), rows), salt, given[1]))
        case "day":
            return Column(name, "date NOT NULL", f"({_moment(u, int(given[0]), rows)})::date")
        case "maybe_day":
            return Column(name, "date", _sometimes(f"({_moment(u, int(given[0]), rows)})::date", salt, given[1]))
        case "int":
            first, last = map(int, given)
            return Column(name, "integer NOT NULL", f"{first} + floor({u} * {last - first + 1})")
        case "money":
            return Column(name, "numeric(12, 2) NOT NULL", f"round(({u} * {given[0]})::numeric, 2)")
        case "flag":
            return Column(name, "boolean NOT NULL", f"{u} < {int(given[0]) / 100}")
        case "words":
            words_of = " || ' ' || ".join(f"w(n, {salt * 10 + number})" for number in range(int(given[0])))
            return Column(name, "varchar(80) NOT NULL", words_of)
        case "text":
            shortest, longest = map(int, given)
            long = f"repeat(md5(n::text || '{salt}') || ' ', 4)"
            return Column(name, "text NOT NULL", f"left({long}, ({shortest} + {u} * {longest - shortest})::int)")
        case "email":
            return Column(name, "varchar(120) NOT NULL", "'person' || n || '@example.org'")
        case _:
            return Column(name, "varchar(64) NOT NULL", f"md5(n::text || '{salt}')")


def _sometimes(value: str, salt: int, percent: str) -> str:
    return f"CASE WHEN u(n, {salt + 50}) < {int(percent) / 100} THEN {value} END"


def _moment(u: str, days: int, rows: int) -> str:
    """Later rows are later, more or less, as in life."""
    return f"{NOW} - make_interval(secs => (1 - 0.97 * n::float8 / {rows} - 0.03 * {u}) * {days * 86_400})"


def statements(scale: float) -> Iterator[str]:
    """Yield what makes the tables and fills them, then their foreign keys."""
    yield from FUNCTIONS
    found = tables(scale)
    for table in found:
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        first, second = (column.name for column in table.columns[:2])
        key = f"PRIMARY KEY ({first}, {second})" if table.is_pair else "id bigint PRIMARY KEY"
        yield f"CREATE TABLE {table.name} ({', '.join((columns, key) if table.is_pair else (key, columns))})"
        values = ", ".join(column.value for column in table.columns)
        head = f"INSERT INTO {table.name} SELECT {'' if table.is_pair else 'n, '}{values}"
        yield f"{head} FROM generate_series(1, {table.rows}) AS n{' ON CONFLICT DO NOTHING' if table.is_pair else ''}"
    yield "ALTER TABLE users ADD UNIQUE (email)"
    yield "ALTER TABLE tenants ADD UNIQUE (slug)"
    for table in found:
        for column in table.columns:
            if column.refers_to:
                yield f"ALTER TABLE {table.name} ADD FOREIGN KEY ({column.name}) REFERENCES {column.refers_to}"
