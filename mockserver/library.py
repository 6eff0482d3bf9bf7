"""The scenarios in force: the bundled ones and a user's own folder, read again when a file changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.choosing import Scenarios, require_operations
from mockserver.errors import TaurusMockError
from mockserver.logs import LOGGER
from mockserver.scenarios import bundled_scenarios, by_name, read_scenarios, scenario_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CHECK_EVERY = 0.2
"""Seconds between looks at the folder, so that a busy mock does not look at it for every request."""

Stamp = tuple[tuple[str, int, int], ...]
"""Name, modification time and size of each file."""


class Library:
    """Scenarios, with `current` always a complete and valid set."""

    def __init__(
        self,
        default: str,
        folder: str | None,
        errors: Mapping[str, Mapping[str, object]],
        operations: Iterable[str],
    ) -> None:
        """Read every scenario; raises ScenarioError or ResourceError for an unusable file or an unknown `default`.

        `errors` are the catalogue's by name, `operations` the ids that scenarios may name.
        """
        self._operations = frozenset(operations)
        self._default = default
        self._folder = Path(folder) if folder else None
        self._errors = errors
        self._bundled = bundled_scenarios(errors)
        self._stamp = self._look()
        self._looked_at = 0.0
        self.current = self._read()
        self.problem: str | None = None
        """What is wrong with the folder's files since the last good set; None when nothing is."""

    def refresh(self, now: float) -> None:
        """Read the folder again if a file has changed; a bad edit keeps the set as it was, and is logged once."""
        if self._folder is None or 0 <= now - self._looked_at < _CHECK_EVERY:
            return
        self._looked_at = now
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.current = self._read()
        except TaurusMockError as error:
            self.problem = str(error)
            LOGGER.error("scenarios not read again, the former ones stay in force: %s", error)  # the message says all
        else:
            self.problem = None
            LOGGER.info("scenarios read again from %s", self._folder)

    def _read(self) -> Scenarios:
        own = read_scenarios(self._folder, self._errors) if self._folder else []
        for each in [*self._bundled.values(), *own]:
            require_operations(each.only, self._operations, f"scenario {each.name!r}, at /only/operation: ")
        return Scenarios.of(by_name([*self._bundled.values(), *own]), self._default)

    def _look(self) -> Stamp:
        if self._folder is None or not self._folder.is_dir():
            return ()
        return tuple(_stamp(path) for path in scenario_files(self._folder))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:  # deleted since the folder was listed
        return path.name, 0, 0
    return path.name, stat.st_mtime_ns, stat.st_size
