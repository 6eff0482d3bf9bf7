"""What an operation is asked, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mockserver.project_fleet import NO_CHANGES, Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockserver.contract import Operation
    from mockserver.fleet import Policy
    from mockserver.identity import Identity
    from mockserver.model import Reply
    from mockserver.project_fleet import FleetView


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that passed every check, and what it may see."""

    operation: Operation
    path: Mapping[str, str]
    """Path parameters."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Query parameters of the document by name, typed; those that are absent have their default, or None."""
    body: Any = None
    """The parsed body; NO_BODY when there is none."""
    fleet: FleetView
    """The project's fleet at the project's time."""
    policy: Policy
    identity: Identity
    request_id: str
    time_of: Callable[[str], float]
    """The time of a project by its clock, Unix seconds."""
    url: str
    """The base URL that the client called, such as http://127.0.0.1:8080."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The reply, and what it stands for."""

    reply: Reply
    changes: Changes = NO_CHANGES
    upgraded: tuple[str, ...] = ()
    """Ids of the instances whose upgrade was granted."""


class Decide(Protocol):
    """What an operation module offers as `decide`."""

    def __call__(self, call: Call) -> Decision:
        """What a call gets; raises ApiError to refuse it."""
