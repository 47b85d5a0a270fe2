"""A magazine and its help desk: inheritance, tags, trees, comments on anything, and indexes of every kind."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import CHAR, ForeignKey, Index, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


NOCASE = String(60).with_variant(String(60, collation="NOCASE"), "sqlite")


class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    agents: Mapped[list[Agent]] = relationship(back_populates="team")


class Agent(Base):
    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    hired_on: Mapped[dt.date]
    team: Mapped[Team] = relationship(back_populates="agents")


class Ticket(Base):
    __tablename__ = "ticket"
    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    queue_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    priority: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    opened_at: Mapped[dt.datetime] = mapped_column(index=True)
    closed_at: Mapped[dt.datetime | None]
    assignee: Mapped[Agent | None] = relationship()
    requester: Mapped[Subscriber] = relationship(back_populates="tickets")
    tags: Mapped[list[Tag]] = relationship(secondary="ticket_tag", back_populates="tickets")
    comments: Mapped[list[Comment]] = relationship(back_populates="ticket")
    __table_args__ = (
        Index("ix_ticket_queue_priority", "queue_id", "priority"),
        Index(
            "ix_ticket_open_assignee",
            "assignee_id",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )


class Comment(Base):
    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[dt.datetime]
    ticket: Mapped[Ticket] = relationship(back_populates="comments")
    __table_args__ = (Index("ix_comment_ticket_written", "ticket_id", "written_at"),)


class Attachment(Base):
    """Belongs to anything: the kind of thing and its id, without a foreign key."""

    __tablename__ = "attachment"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_type: Mapped[str] = mapped_column(String(30))
    owner_id: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(NOCASE, index=True)
    tickets: Mapped[list[Ticket]] = relationship(secondary="ticket_tag", back_populates="tags")


class TicketTag(Base):
    """Both ways have an index."""

    __tablename__ = "ticket_tag"
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True, index=True)


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    pen_name: Mapped[str] = mapped_column(String(60))
    articles: Mapped[list[Article]] = relationship(back_populates="author")


class Article(Base):
    __tablename__ = "article"
    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(20))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(20))
    words: Mapped[int]
    published_at: Mapped[dt.datetime | None]
    author: Mapped[Author] = relationship(back_populates="articles")
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_identity": "article"}
    __table_args__ = (Index("ix_article_title_like", "title", postgresql_ops={"title": "varchar_pattern_ops"}),)


Index("ix_article_published_words", Article.published_at.desc(), Article.words)


class Interview(Article):
    __tablename__ = "interview"
    id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True)
    guest: Mapped[str] = mapped_column(String(60))
    __mapper_args__ = {"polymorphic_identity": "interview"}


class Edition(Base):
    __tablename__ = "edition"
    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    __table_args__ = (UniqueConstraint("year", "number", name="uq_edition_year_number"),)


class Placement(Base):
    """Where an article stands in an edition: by edition through the primary key, by article through nothing."""

    __tablename__ = "placement"
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))


class Subscriber(Base):
    __tablename__ = "subscriber"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(120), index=True)
    name: Mapped[str] = mapped_column(String(80))
    city: Mapped[str] = mapped_column(String(60))
    land: Mapped[str] = mapped_column(CHAR(2))
    postcode: Mapped[str] = mapped_column(String(12), index=True)
    age: Mapped[int]
    is_student: Mapped[bool]
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date | None]
    tickets: Mapped[list[Ticket]] = relationship(back_populates="requester")


class Reading(Base):
    __tablename__ = "reading"
    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    seconds: Mapped[int]
    at: Mapped[dt.datetime]


Index("ix_reading_article_at", Reading.article_id, Reading.at.desc())


class Language(Base):
    """A list that stays small everywhere."""

    __tablename__ = "language"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(5))
    name: Mapped[str] = mapped_column(String(40))


class Campaign(Base):
    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(60))


class Signup(Base):
    """Read from forms: its columns have types and collations of their own, and its indexes grew one by one."""

    __tablename__ = "signup"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    tag_name: Mapped[str] = mapped_column(String(60))
    email: Mapped[str] = mapped_column(Text, index=True)
    postcode: Mapped[str] = mapped_column(CHAR(12), index=True)
    subscriber_no: Mapped[str] = mapped_column(String(20), index=True)
    article_no: Mapped[Decimal] = mapped_column(Numeric(12, 0), index=True)
    state: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[dt.datetime]
    __table_args__ = (
        Index("ix_signup_tag", "tag_name"),
        Index("ix_signup_tag_email", "tag_name", "email"),
        Index("ix_signup_at_campaign", "at", "campaign_id"),
        Index("ix_signup_team", "team_id", postgresql_using="hash"),
        Index("ix_signup_team_again", "team_id", postgresql_using="hash"),
        Index(
            "ix_signup_new_email",
            "email",
            sqlite_where=text("state = 'new'"),
            postgresql_where=text("state = 'new'"),
        ),
    )
