"""A password that stands apart from its URL, and is shown nowhere."""

from __future__ import annotations

from typing import NoReturn

from pydantic import SecretStr

from pytest_dbguard.runtime.settings.database_url import not_pickled


class Password(SecretStr):
    """Text that repr, dumps and errors show as stars; pickle, which would write it out, refuses."""

    def __reduce__(self) -> NoReturn:
        raise not_pickled()

    def __copy__(self) -> Password:
        return self

    def __deepcopy__(self, _memo: object) -> Password:
        return self
