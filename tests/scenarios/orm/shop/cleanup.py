"""Removes what nobody needs any more."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from shop.models import FileEntry, Folder, Survey, Thread


def drop_folders(session: Session) -> None:
    folders = session.scalars(select(Folder).where(Folder.id > 1)).all()  # origin: DBG101 Folder.files @test_delete_cascade  # noqa: E501 # fmt: skip
    for folder in folders:  # loop: DBG101 Folder.files @test_delete_cascade
        session.delete(folder)  # expect: DBG101 Folder.files @test_delete_cascade
    session.commit()


def drop_threads(session: Session) -> None:
    threads = session.scalars(select(Thread).where(Thread.id > 1)).all()  # origin: DBG101 Thread.messages @test_delete_nullify  # noqa: E501 # fmt: skip
    for thread in threads:
        session.delete(thread)
    # the flush loads the messages of each thread to set their keys to NULL
    session.commit()  # expect: DBG101 Thread.messages @test_delete_nullify


def empty_folders(session: Session) -> None:
    folders = session.scalars(select(Folder)).all()  # origin: DBG101 Folder.files @test_clear_each
    for folder in folders:  # loop: DBG101 Folder.files @test_clear_each
        folder.files.clear()  # expect: DBG101 Folder.files @test_clear_each
    session.commit()


def drop_files(session: Session, names: list[str]) -> None:
    for name in names:  # loop: DBG104 file_entry @test_delete_statement_each
        session.execute(delete(FileEntry).where(FileEntry.name == name))  # expect: DBG104 file_entry @test_delete_statement_each  # noqa: E501 # fmt: skip
    session.commit()


# --- as it should be ---


def drop_surveys(session: Session) -> None:
    for survey in session.scalars(select(Survey).where(Survey.id > 1)):
        session.delete(survey)
    session.commit()


def drop_folder(session: Session, folder_id: int) -> None:
    session.delete(session.get(Folder, folder_id))
    session.commit()


def drop_folders_loaded(session: Session) -> None:
    folders = session.scalars(select(Folder).where(Folder.id > 1).options(selectinload(Folder.files)))
    for folder in folders:
        session.delete(folder)
    session.commit()


def drop_folders_by_statements(session: Session) -> None:
    session.execute(delete(FileEntry).where(FileEntry.folder_id > 1))
    session.execute(delete(Folder).where(Folder.id > 1))
    session.commit()


def replace_files(session: Session, folder_id: int, names: list[str]) -> None:
    folder = session.get(Folder, folder_id)
    folder.files = [FileEntry(name=name) for name in names]
    session.commit()
