"""What the configuration says not to report: words with a subject, and words for some paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.config.path_globs import PathGlob
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config


@dataclass(frozen=True, slots=True)
class SettingIgnores:
    """Silences findings by the settings `ignore` and `per-path-ignores`."""

    words: tuple[Ignore, ...] = ()
    paths: tuple[tuple[PathGlob, Ignore], ...] = ()

    @property
    def all(self) -> tuple[Ignore, ...]:
        """All of them, in the order of the configuration."""
        return (*self.words, *(ignore for _, ignore in self.paths))

    def silencing(self, finding: Finding) -> tuple[Ignore, ...]:
        """Return what silences a finding: by its subject, its lines' files, or the files of the tests that show it."""
        found = [ignore for ignore in self.words if ignore.word.names(finding)]
        found += [
            ignore
            for glob, ignore in self.paths
            if ignore.word.names(finding) and any(map(glob.matches, _paths_of(finding)))
        ]
        return tuple(found)


def setting_ignores(config: Config, root: Path) -> SettingIgnores:
    """Return what the configuration says not to report; rules that it leaves out altogether are not in it.

    Raises:
        ConfigError: For a word or a path that cannot be used; names its place.
    """
    source = config.sources["ignore"]
    with_subject = (word for word in config.ignore if ":" in word)
    words = tuple(_ignore(IgnoreKind.CONFIG, word, word, source, "ignore", root) for word in with_subject)
    return SettingIgnores(words, tuple(_of_paths(config.per_path_ignores, config.sources["per_path_ignores"], root)))


def subject_ignores(words: Iterable[str]) -> SettingIgnores:
    """Return what words with a subject silence, where there is no configuration.

    Raises:
        ConfigError: For a word that cannot be used.
    """
    return SettingIgnores(tuple(Ignore(IgnoreKind.CONFIG, read_word(word)) for word in words if ":" in word))


def _of_paths(table: Mapping[str, tuple[str, ...]], source: str, root: Path) -> Iterator[tuple[PathGlob, Ignore]]:
    for text, words in table.items():
        glob = PathGlob(text)
        if glob.problem is not None:
            message, hint = glob.problem
            raise ConfigError(f"{source}: per-path-ignores: {message}", hint=hint)
        for word in words:
            yield glob, _ignore(IgnoreKind.PATH, word, text, source, f"per-path-ignores: {text!r}", root)


def _ignore(kind: IgnoreKind, text: str, near: str, source: str, key: str, root: Path) -> Ignore:
    try:
        word = read_word(text)
    except ConfigError as error:
        raise ConfigError(f"{source}: {key}: {error.message}", hint=error.hint) from None
    return Ignore(kind, word, _place_of(near, source, root), near if kind is IgnoreKind.PATH else "", source)


def _place_of(text: str, source: str, root: Path) -> Site | None:
    """Return the line of a file of settings that holds a text; None where the setting comes from elsewhere."""
    path = root / source
    if not path.is_file():
        return None
    lines = path.read_text("utf-8", "replace").splitlines()
    quoted = (f'"{text}"', f"'{text}'")
    number = next((number for number, line in enumerate(lines, 1) if any(each in line for each in quoted)), 1)
    return Site(source, number)


def _paths_of(finding: Finding) -> Iterator[str]:
    yield from (place.file for place in (finding.site, finding.origin, finding.loop) if place is not None)
    yield from (test.partition("::")[0] for test in finding.tests)
