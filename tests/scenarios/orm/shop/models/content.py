"""Blogs, documents, folders and whatever else a shop's site shows."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import DynamicMapped, Mapped, WriteOnlyMapped, column_property, mapped_column, relationship

from shop.models.base import Base


class Document(Base):
    __tablename__ = "document"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(Text, default="body", deferred=True)
    html: Mapped[str] = mapped_column(Text, default="html", deferred=True, deferred_group="rendered")
    pdf: Mapped[str] = mapped_column(Text, default="pdf", deferred=True, deferred_group="rendered")


class Blog(Base):
    __tablename__ = "blog"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    posts: DynamicMapped[Post] = relationship(back_populates="blog", order_by="Post.id")
    entries: WriteOnlyMapped[Entry] = relationship(order_by="Entry.id")


class Post(Base):
    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    blog_id: Mapped[int] = mapped_column(ForeignKey("blog.id"), index=True)
    title: Mapped[str]
    blog: Mapped[Blog] = relationship(back_populates="posts", lazy="joined", innerjoin=True)


class Entry(Base):
    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    blog_id: Mapped[int] = mapped_column(ForeignKey("blog.id"), index=True)
    text: Mapped[str]


class Team(Base):
    __tablename__ = "team"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    members: Mapped[list[Member]] = relationship(lazy="selectin", order_by="Member.id")


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"), index=True)
    name: Mapped[str]


class Gallery(Base):
    __tablename__ = "gallery"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    photos: Mapped[list[Photo]] = relationship(lazy="joined", order_by="Photo.id")


class Photo(Base):
    __tablename__ = "photo"
    id: Mapped[int] = mapped_column(primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("gallery.id"), index=True)
    name: Mapped[str]


class Invoice(Base):
    __tablename__ = "invoice"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    lines: Mapped[list[InvoiceLine]] = relationship(lazy="raise", order_by="InvoiceLine.id")


class InvoiceLine(Base):
    __tablename__ = "invoice_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), index=True)
    amount: Mapped[int]


class Comment(Base):
    __tablename__ = "comment"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    replies: Mapped[list[Comment]] = relationship(order_by="Comment.id")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)
    title: Mapped[str]


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship(order_by="Book.id")
    book_count: Mapped[int] = column_property(
        select(func.count(Book.id)).where(Book.author_id == id).correlate_except(Book).scalar_subquery()
    )


class Folder(Base):
    __tablename__ = "folder"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    files: Mapped[list[FileEntry]] = relationship(cascade="all, delete-orphan", order_by="FileEntry.id")


class FileEntry(Base):
    __tablename__ = "file_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folder.id"), index=True)
    name: Mapped[str]


class Survey(Base):
    __tablename__ = "survey"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    questions: Mapped[list[Question]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class Question(Base):
    __tablename__ = "question"
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]


class Thread(Base):
    __tablename__ = "thread"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    messages: Mapped[list[Message]] = relationship(order_by="Message.id")


class Message(Base):
    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"), index=True)
    text: Mapped[str]
