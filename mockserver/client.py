"""What a test holds of a running mock: one project's URL, scenarios, requests and verdicts."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mockserver.choosing import find_scenario, require_operations
from mockserver.conditions import Only
from mockserver.errors import FleetError
from mockserver.fleet_control import FleetControl
from mockserver.journal import NO_PROJECT
from mockserver.verification import check_upgraded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mockserver.journal import Entry
    from mockserver.mock import Mock


class MockProject:
    """One project of a running mock. Projects never see each other, so each test may have its own."""

    def __init__(self, mock: Mock, read_url: Callable[[], str], project_id: str | None = None) -> None:
        """Hold the project with this id, or one that nobody else has."""
        self._mock = mock
        self._fleets = FleetControl(mock.engine.store, mock.clock)
        self._read_url = read_url
        self.project_id = project_id or secrets.token_hex(16)

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:49152`; raises ServerError when the mock is not running."""
        return self._read_url()

    @property
    def path(self) -> str:
        """The path of the project's batch upgrade."""
        return f"/v3/{self.project_id}/instances/database-version/upgrade"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request of the project so far, as the admin API shows it: method, path, body, status, scenario ..."""
        return [entry.to_json() for entry in self._mock.journal.entries(self.project_id)]

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The requests that the contract forbids, those to an unknown path below the project's included."""
        strays = self._mock.journal.entries(NO_PROJECT, self._is_stray)
        return [*(each for each in self.requests if each["scenario"] is None), *(entry.to_json() for entry in strays)]

    def scenario(
        self,
        name: str,
        *,
        times: int | None = None,
        operation: str | None = None,
        instance_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> MockRule:
        """Send the project's requests to a scenario from now on, or inside a `with` block.

        `times` limits it to so many requests; `operation`, an operation id, `instance_id`, `headers` and `body`, values
        by JSON pointer, to those that match. Raises ScenarioError for an unknown name or operation.
        """
        find_scenario(name, self._mock.engine.library.current.by_name)
        only = Only(
            operations=(operation,) if operation else (),
            project_id=self.project_id,
            instance_id=instance_id,
            headers=tuple((headers or {}).items()),
            body=tuple((body or {}).items()),
        )
        require_operations(only, self._mock.engine.contract.ids)
        return MockRule(self._mock, name, only, times)

    def move_clock(self, seconds: float) -> None:
        """Let the project's clock differ from the wall clock by so many seconds."""
        self._mock.engine.store.move_clock(self.project_id, seconds)

    @property
    def instances(self) -> list[dict[str, Any]]:
        """The project's instances, in the form of fleet files and with the version that each has now."""
        return self._fleets.instances(self.project_id)

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The project's jobs, the oldest first: id, kind, name, instance_id, status, version, times in Unix seconds."""
        return self._fleets.jobs(self.project_id)

    def load_fleet(self, instances: Iterable[Mapping[str, Any]], *, latest_version: str | None = None) -> None:
        """Begin anew with these instances, each as in a fleet file, and no jobs; raises FleetError that says where."""
        document = {"instances": [dict(each) for each in instances]}
        self._fleets.load(self.project_id, document | ({"latest_version": latest_version} if latest_version else {}))

    def edit_instance(self, instance_id: str, **changes: Any) -> None:  # noqa: ANN401  # JSON values
        """Change some fields of an instance, such as status="frozen", or add one; raises FleetError."""
        self._fleets.edit(self.project_id, instance_id, changes)

    def remove_instance(self, instance_id: str) -> None:
        """Remove an instance and its jobs; raises FleetError when there is none."""
        if not self._fleets.remove(self.project_id, instance_id):
            raise FleetError(f"the project has no instance {instance_id!r}")

    def assert_upgraded(self, *instance_ids: str, times: int = 1) -> None:
        """Raise AssertionError unless each instance was upgraded exactly so often; it shows the nearest requests.

        An upgrade counts when it took place, whether or not the client learned of it.
        """
        message = check_upgraded(self._mock.journal.entries(self.project_id), instance_ids, times)
        if message is not None:
            raise AssertionError(message)

    def reset(self) -> None:
        """Forget the project's requests, rules, positions, jobs and changes of the fleet, and set its clock right."""
        self._mock.journal.clear(self.project_id)
        self._mock.journal.discard(NO_PROJECT, self._is_stray)
        self._mock.engine.store.clear_rules(self.project_id)
        self._mock.engine.store.clear_state(self.project_id)

    def _is_stray(self, entry: Entry) -> bool:
        """Whether a request went to a path below the project's that no operation has."""
        return self.project_id in entry.exchange.request.path.split("/")


class MockRule:
    """A rule in force; as a context manager it ends with its block."""

    def __init__(self, mock: Mock, scenario: str, only: Only, times: int | None) -> None:
        self._store = mock.engine.store
        self.id = self._store.add_rule(scenario, only, times).id

    def __enter__(self) -> MockRule:  # noqa: PYI034  # typing.Self needs Python 3.11
        """Keep it in force for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.end()

    def end(self) -> None:
        """Let the project's requests go on without it."""
        self._store.remove_rule(self.id)


@contextmanager
def strictly(project: MockProject) -> Iterator[MockProject]:
    """Raise AssertionError at the end of the block for requests that the contract forbids."""
    yield project
    refused = project.refused
    if refused:
        lines = [f"  {each['method']} {each['path']} -> {each['status']} {each['reply']}" for each in refused]
        raise AssertionError("\n".join(["the mock refused requests:", *lines]))
