"""Checks subjects such as `Order.customer` against the models that this process has mapped."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable

from sqlalchemy.orm import registry

from pytest_dbguard.analysis.ignore_book import IgnoreBook
from pytest_dbguard.core.errors import nearest
from pytest_dbguard.core.ignores import IgnoreWord

_ABOUT_ATTRIBUTES = frozenset({"DBG101", "DBG102", "DBG106", "DBG107", "DBG108", "DBG109"})
_ATTRIBUTE = re.compile(r"([\w*?]+)\.([\w*?]+)")
_GLOB = frozenset("*?")


def is_about_models(word: IgnoreWord) -> bool:
    """Return whether a word's subject has to be `Class.attribute`: its rules are about relationships and columns."""
    return not _ABOUT_ATTRIBUTES.isdisjoint(word.codes) and _ATTRIBUTE.fullmatch(word.subject) is not None


def check_subjects(words: Iterable[IgnoreWord], book: IgnoreBook) -> None:
    """Note which subjects this process knows, and the nearest match of those that it does not."""
    subjects = sorted({word.subject for word in words if is_about_models(word)})
    models = _attributes_by_class() if subjects else {}
    if not models:
        return
    for subject in subjects:
        match = _nearest(subject, models)
        if match is None:
            book.known_subjects.add(subject)
        else:
            book.unknown_subjects[subject] = match


def _nearest(subject: str, models: dict[str, set[str]]) -> str | None:
    """Return None for a subject that some model has, else the nearest there is, or ""."""
    name, _, attribute = subject.partition(".")
    if _GLOB.isdisjoint(name) and name not in models:
        match = nearest(name, sorted(models))
        return f"{match}.{attribute}" if match else ""
    if not _GLOB.isdisjoint(attribute):
        return None
    attributes = models[name] if name in models else set().union(*models.values())
    if attribute in attributes:
        return None
    match = nearest(attribute, sorted(attributes))
    return f"{name}.{match}" if match else ""


def _attributes_by_class() -> dict[str, set[str]]:
    """Return what is mapped, by the names of classes; SQLAlchemy has no public list of all registries."""
    found: dict[str, set[str]] = {}
    for each in gc.get_objects():
        # by type: a mock or proxy may claim to be anything
        if issubclass(type(each), registry):
            for mapper in each.mappers:
                found.setdefault(mapper.class_.__name__, set()).update(mapper.all_orm_descriptors.keys())
    return found
