"""What the product with many tenants asks its forty tables: reads as a library writes them, and how often they run."""

from __future__ import annotations

import re
from itertools import count

from advice_saas_schema import tables

QUERIES: tuple[tuple[int, str], ...] = (
    # who it is
    (900, "SELECT {users} FROM users WHERE users.email = 'person4711@example.org'"),
    (2400, "SELECT {sessions} FROM sessions WHERE sessions.token = '5f2a' AND sessions.revoked_at IS NULL"),
    (300, "SELECT {sessions} FROM sessions WHERE sessions.user_id = 77 ORDER BY sessions.last_seen_at DESC LIMIT 10"),
    (4, "SELECT sessions.id FROM sessions WHERE sessions.expires_at < '2026-06-01' ORDER BY sessions.id LIMIT 500"),
    (1200, "SELECT {api_keys} FROM api_keys WHERE api_keys.key_hash = '5f2a' AND api_keys.revoked_at IS NULL"),
    (
        1500,
        "SELECT {memberships}, roles.name FROM memberships JOIN roles ON roles.id = memberships.role_id"
        " WHERE memberships.user_id = 77 AND memberships.tenant_id = 12 AND memberships.state = 'active'",
    ),
    (600, "SELECT {role_permissions} FROM role_permissions WHERE role_permissions.role_id IN (3, 7, 9)"),
    (40, "SELECT {invitations} FROM invitations WHERE invitations.token = '5f2a'"),
    (
        30,
        "SELECT {invitations} FROM invitations WHERE invitations.tenant_id = 5 AND invitations.accepted_at IS NULL"
        " ORDER BY invitations.created_at DESC",
    ),
    (
        60,
        "SELECT users.id, users.name, memberships.role_id FROM users JOIN memberships ON memberships.user_id = users.id"
        " WHERE memberships.tenant_id = 3 AND users.is_active ORDER BY users.name LIMIT 50 OFFSET 100",
    ),
    # work
    (
        700,
        "SELECT {projects} FROM projects WHERE projects.tenant_id = 7 AND projects.archived_at IS NULL"
        " ORDER BY projects.name LIMIT 50",
    ),
    (
        260,
        "SELECT projects.id, projects.name FROM projects JOIN project_members"
        " ON project_members.project_id = projects.id WHERE project_members.user_id = 77 AND projects.state = 'active'",
    ),
    (120, "SELECT {teams} FROM teams WHERE teams.tenant_id = 7 ORDER BY teams.name"),
    (
        90,
        "SELECT {users} FROM users JOIN team_members ON team_members.user_id = users.id"
        " WHERE team_members.team_id = 9 ORDER BY users.name",
    ),
    (45, "SELECT team_members.team_id FROM team_members WHERE team_members.user_id = 77"),
    (
        800,
        "SELECT {issues} FROM issues WHERE issues.project_id = 120 AND issues.state IN ('open', 'doing')"
        " AND issues.deleted_at IS NULL ORDER BY issues.created_at DESC LIMIT 50",
    ),
    (
        650,
        "SELECT {issues} FROM issues WHERE issues.assignee_id = 77 AND issues.deleted_at IS NULL"
        " AND issues.state <> 'done' ORDER BY issues.due_on",
    ),
    (1100, "SELECT {issues} FROM issues WHERE issues.project_id = 120 AND issues.number = 417"),
    (
        150,
        "SELECT {issues} FROM issues WHERE issues.tenant_id = 7 AND issues.updated_at > '2026-06-28'"
        " ORDER BY issues.updated_at DESC LIMIT 100",
    ),
    (
        80,
        "SELECT issues.state, count(*) FROM issues WHERE issues.tenant_id = 7 AND issues.deleted_at IS NULL"
        " GROUP BY issues.state",
    ),
    (
        35,
        "SELECT issues.assignee_id, sum(issues.points), count(*) FROM issues WHERE issues.milestone_id = 300"
        " AND issues.state = 'done' GROUP BY issues.assignee_id",
    ),
    (
        25,
        "SELECT {milestones} FROM milestones WHERE milestones.state = 'open' AND milestones.due_on < '2026-07-01'"
        " ORDER BY milestones.due_on LIMIT 100",
    ),
    (90, "SELECT {milestones} FROM milestones WHERE milestones.project_id = 120 ORDER BY milestones.due_on"),
    (
        20,
        "SELECT {issues} FROM issues JOIN projects ON projects.id = issues.project_id WHERE projects.tenant_id = 40"
        " AND issues.priority = 'urgent' AND issues.state = 'open' ORDER BY issues.created_at LIMIT 20",
    ),
    (
        240,
        "SELECT {labels} FROM labels JOIN issue_labels ON issue_labels.label_id = labels.id"
        " WHERE issue_labels.issue_id IN (11, 12, 13, 14, 15, 16, 17, 18)",
    ),
    (
        70,
        "SELECT issues.id, issues.title FROM issues JOIN issue_labels ON issue_labels.issue_id = issues.id"
        " WHERE issue_labels.label_id = 44 AND issues.deleted_at IS NULL ORDER BY issues.created_at DESC LIMIT 25",
    ),
    (110, "SELECT {labels} FROM labels WHERE labels.tenant_id = 7 ORDER BY labels.name"),
    (
        900,
        "SELECT {comments} FROM comments WHERE comments.issue_id = 5000 AND comments.deleted_at IS NULL"
        " ORDER BY comments.created_at",
    ),
    (
        60,
        "SELECT {comments} FROM comments WHERE comments.author_id = 77 ORDER BY comments.created_at DESC LIMIT 20",
    ),
    (
        130,
        "SELECT comments.issue_id, count(*) FROM comments WHERE comments.issue_id IN (11, 12, 13, 14, 15, 16, 17, 18)"
        " AND NOT comments.is_internal GROUP BY comments.issue_id",
    ),
    (300, "SELECT {attachments} FROM attachments WHERE attachments.issue_id = 5000"),
    (
        3,
        "SELECT sum(attachments.size_bytes) FROM attachments JOIN issues ON issues.id = attachments.issue_id"
        " WHERE issues.tenant_id = 7",
    ),
    (200, "SELECT issue_watchers.user_id FROM issue_watchers WHERE issue_watchers.issue_id = 5000"),
    (30, "SELECT issue_watchers.issue_id FROM issue_watchers WHERE issue_watchers.user_id = 77"),
    (
        180,
        "SELECT {cards}, issues.title FROM cards JOIN board_columns ON board_columns.id = cards.board_column_id"
        " JOIN issues ON issues.id = cards.issue_id WHERE board_columns.board_id = 55"
        " ORDER BY board_columns.position, cards.position",
    ),
    (150, "SELECT {boards} FROM boards WHERE boards.project_id = 120"),
    (
        50,
        "SELECT {time_entries} FROM time_entries WHERE time_entries.user_id = 77"
        " AND time_entries.spent_on BETWEEN '2026-06-01' AND '2026-06-07' ORDER BY time_entries.spent_on",
    ),
    (
        8,
        "SELECT time_entries.user_id, sum(time_entries.minutes) FROM time_entries WHERE time_entries.tenant_id = 7"
        " AND time_entries.is_billable AND time_entries.invoice_line_id IS NULL"
        " AND time_entries.spent_on >= '2026-05-01' GROUP BY time_entries.user_id",
    ),
    (40, "SELECT sum(time_entries.minutes) FROM time_entries WHERE time_entries.issue_id = 5000"),
    # money
    (220, "SELECT {customers} FROM customers WHERE customers.tenant_id = 7 ORDER BY customers.name LIMIT 50"),
    (
        90,
        "SELECT {customers} FROM customers WHERE customers.tenant_id = 7 AND customers.name LIKE 'ab12%'"
        " ORDER BY customers.name LIMIT 10",
    ),
    (140, "SELECT {customers} FROM customers WHERE customers.external_ref = '5f2a'"),
    (75, "SELECT {contacts} FROM contacts WHERE contacts.customer_id = 900"),
    (20, "SELECT {contacts} FROM contacts WHERE contacts.email = 'person99@example.org'"),
    (
        160,
        "SELECT {invoices} FROM invoices WHERE invoices.tenant_id = 7 AND invoices.state = 'open'"
        " ORDER BY invoices.due_on LIMIT 50",
    ),
    (
        85,
        "SELECT {invoices} FROM invoices WHERE invoices.customer_id = 900 ORDER BY invoices.issued_on DESC LIMIT 20",
    ),
    (12, "SELECT {invoices} FROM invoices WHERE invoices.state = 'overdue' AND invoices.due_on < '2026-06-01'"),
    (
        190,
        "SELECT {invoice_lines}, products.name FROM invoice_lines JOIN products"
        " ON products.id = invoice_lines.product_id WHERE invoice_lines.invoice_id = 800",
    ),
    (
        2,
        "SELECT products.id, products.name, sum(invoice_lines.quantity * invoice_lines.unit_price) FROM products"
        " JOIN invoice_lines ON invoice_lines.product_id = products.id JOIN invoices"
        " ON invoices.id = invoice_lines.invoice_id WHERE products.tenant_id = 7 AND invoices.issued_on >= '2026-04-01'"
        " GROUP BY products.id, products.name ORDER BY 3 DESC LIMIT 10",
    ),
    (
        1,
        "SELECT invoices.tenant_id, date_trunc('month', invoices.issued_on), sum(invoices.total) FROM invoices"
        " WHERE invoices.issued_on >= '2026-01-01' GROUP BY 1, 2",
    ),
    (110, "SELECT {payments} FROM payments WHERE payments.invoice_id = 800"),
    (65, "SELECT {payments} FROM payments WHERE payments.provider_ref = '5f2a'"),
    (6, "SELECT {payments} FROM payments WHERE payments.state = 'pending' ORDER BY payments.received_at LIMIT 100"),
    (5, "SELECT {refunds} FROM refunds WHERE refunds.payment_id = 500"),
    (
        3,
        "SELECT subscriptions.id, tenants.name FROM subscriptions JOIN tenants ON tenants.id = subscriptions.tenant_id"
        " WHERE subscriptions.state = 'active' AND subscriptions.renews_on = '2026-06-29'",
    ),
    (170, "SELECT {products} FROM products WHERE products.tenant_id = 7 AND products.is_active LIMIT 100"),
    (95, "SELECT {products} FROM products WHERE products.sku = '5f2a' AND products.tenant_id = 7"),
    (
        130,
        "SELECT {prices} FROM prices WHERE prices.product_id = 30 AND prices.currency = 'eur'"
        " AND prices.valid_from <= '2026-06-30' ORDER BY prices.valid_from DESC LIMIT 1",
    ),
    # people who call
    (
        280,
        "SELECT {tickets} FROM tickets WHERE tickets.tenant_id = 7 AND tickets.state IN ('open', 'pending')"
        " ORDER BY tickets.priority, tickets.created_at LIMIT 50",
    ),
    (
        210,
        "SELECT {tickets} FROM tickets WHERE tickets.agent_id = 77 AND tickets.state = 'open'"
        " ORDER BY tickets.updated_at DESC",
    ),
    (60, "SELECT {tickets} FROM tickets WHERE tickets.customer_id = 900 ORDER BY tickets.created_at DESC LIMIT 10"),
    (
        240,
        "SELECT {ticket_messages} FROM ticket_messages WHERE ticket_messages.ticket_id = 600"
        " ORDER BY ticket_messages.sent_at",
    ),
    (
        2,
        "SELECT tickets.agent_id, avg(tickets.first_reply_at - tickets.created_at) FROM tickets"
        " WHERE tickets.tenant_id = 7 AND tickets.created_at >= '2026-06-01' GROUP BY tickets.agent_id",
    ),
    # what happened
    (
        45,
        "SELECT {audit_events} FROM audit_events WHERE audit_events.tenant_id = 7"
        " ORDER BY audit_events.at DESC LIMIT 50",
    ),
    (
        30,
        "SELECT {audit_events} FROM audit_events WHERE audit_events.entity = 'issue' AND audit_events.entity_id = 5000"
        " ORDER BY audit_events.at DESC",
    ),
    (1, "SELECT count(*) FROM audit_events WHERE audit_events.at >= '2026-06-29' AND audit_events.actor_id = 77"),
    (
        1300,
        "SELECT count(*) FROM notifications WHERE notifications.user_id = 77 AND notifications.read_at IS NULL",
    ),
    (
        400,
        "SELECT {notifications} FROM notifications WHERE notifications.user_id = 77"
        " ORDER BY notifications.created_at DESC LIMIT 30",
    ),
    (120, "SELECT {webhooks} FROM webhooks WHERE webhooks.tenant_id = 7 AND webhooks.is_active"),
    (
        500,
        "SELECT {webhook_deliveries} FROM webhook_deliveries WHERE webhook_deliveries.state = 'queued'"
        " AND webhook_deliveries.next_try_at <= '2026-06-29' ORDER BY webhook_deliveries.next_try_at LIMIT 20",
    ),
    (
        15,
        "SELECT {webhook_deliveries} FROM webhook_deliveries WHERE webhook_deliveries.webhook_id = 4"
        " ORDER BY webhook_deliveries.created_at DESC LIMIT 50",
    ),
    (10, "SELECT {issues} FROM issues WHERE issues.author_id = 77 AND issues.created_at >= '2026-06-01'"),
    (
        4,
        "SELECT issues.id FROM issues WHERE issues.tenant_id = 7 AND NOT EXISTS (SELECT 1 FROM comments"
        " WHERE comments.issue_id = issues.id AND comments.created_at >= '2026-06-01') AND issues.state = 'blocked'",
    ),
)
"""Executions in an hour, and the text; `{table}` stands for all its columns."""


_LISTED = re.compile(r"(?<=IN \()[^()]*(?=\))")
_VALUE = re.compile(r"(?P<before>(?:[=<>]|BETWEEN|AND) )(?:'[^']*'|\d+)")


def with_parameters(text: str) -> str:
    """Return a text as a library sends it: values are parameters, but for patterns, LIMIT and OFFSET."""
    numbers = count(1)
    listed = _LISTED.sub(lambda found: re.sub(r"'[^']*'|\d+", lambda _: f"${next(numbers)}", found[0]), text)
    return _VALUE.sub(lambda found: f"{found['before']}${next(numbers)}", listed)


def queries() -> tuple[tuple[int, str], ...]:
    """Return all of them with their columns written out."""
    lists = {table.name: ", ".join(f"{table.name}.{name}" for name in table.names) for table in tables()}
    return tuple((weight, re.sub(r"\{(\w+)\}", lambda hole: lists[hole[1]], text)) for weight, text in QUERIES)
