"""Fleets from files, from a seed, and from what the admin API is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.chance import draw, draw_bytes
from mockserver.errors import ResourceError
from mockserver.fleet import CHECKS, Fleet, Instance, Network
from mockserver.resources import bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mockserver.fleet import InstanceStatus
    from mockserver.settings import Settings

_RARE: tuple[tuple[float, InstanceStatus], ...] = ((0.02, "abnormal"), (0.03, "frozen"))
"""How often a generated instance has another status than normal: cumulative shares."""


def load_fleet(settings: Settings) -> Fleet:
    """The fleet that the settings ask for: a file's, a generated one, or the demonstration fleet.

    Raises ResourceError for a file that is unusable, with the place and what was expected.
    """
    versions = kernel_versions()
    if settings.fleet_size is not None:
        return generate_fleet(settings.fleet_size, settings.seed, versions)
    path = settings.fleet or bundle_root() / "fixtures" / "fleets" / "demonstration.json"
    try:
        return parse_fleet(read_object(path, schema="fleet"), versions[-1])
    except ValueError as error:
        raise ResourceError(f"{path}: {error}") from None


def kernel_versions() -> list[str]:
    """The kernel versions that exist, oldest first, from `fixtures/kernel-versions.json`."""
    document: dict[str, Any] = read_object(
        bundle_root() / "fixtures" / "kernel-versions.json", schema="kernel-versions"
    )
    return list(document["versions"])


def parse_fleet(document: Mapping[str, Any], latest: str) -> Fleet:
    """The fleet of a document that its schema has accepted; `latest` is the latest version unless it states one.

    Raises ValueError, which says where, for two instances with the same id.
    """
    instances: dict[str, Instance] = {}
    for number, each in enumerate(document["instances"]):
        if each["id"] in instances:
            raise ValueError(f"at /instances/{number}/id: {each['id']} comes twice; give each instance its own id")
        instances[each["id"]] = parse_instance(each)
    return Fleet(instances, document.get("latest_version", latest))


def parse_instance(document: Mapping[str, Any]) -> Instance:
    """The instance of a document that the schema of fleets has accepted."""
    given = {
        name: document[name]
        for name in ("id", "name", "version", "status", "maintenance_window", "upgrade_fails", "created")
        if name in document
    }
    network = {name: document[name] for name in Network.__slots__ if name in document}
    failing = set(document.get("failing_checks", ()))
    return Instance(
        **{"name": f"instance-{document['id'][:8]}", **given},
        failing_checks=tuple(check for check in CHECKS if check in failing),
        tags=tuple(document.get("tags", {}).items()),
        network=Network(**network),
    )


def show_instance(instance: Instance) -> dict[str, Any]:
    """The instance as a fleet file would have it, what has its default left out."""
    plain = Instance(instance.id, "", "")
    shown: dict[str, Any] = {"id": instance.id, "name": instance.name, "version": instance.version}
    shown |= {
        name: getattr(instance, name)
        for name in ("status", "maintenance_window", "upgrade_fails", "created")
        if getattr(instance, name) != getattr(plain, name)
    }
    if instance.failing_checks:
        shown["failing_checks"] = list(instance.failing_checks)
    if instance.tags:
        shown["tags"] = dict(instance.tags)
    return shown | {
        name: getattr(instance.network, name)
        for name in Network.__slots__
        if getattr(instance.network, name) != getattr(plain.network, name)
    }


def generate_fleet(size: int, seed: int, versions: Iterable[str]) -> Fleet:
    """A fleet of so many instances of all versions, a few of them abnormal or frozen; a seed gives always the same."""
    known = list(versions)
    instances = {}
    for number in range(size):
        one = _generated(number, seed, known)
        instances[one.id] = one
    return Fleet(instances, known[-1])


def _generated(number: int, seed: int, versions: list[str]) -> Instance:
    luck = draw(seed, "status", number)
    return Instance(
        id=f"{number:08x}{draw_bytes(12, seed, 'id', number).hex()}in07",
        name=f"fleet-{number:05}",
        version=versions[int(draw(seed, "version", number) * len(versions))],
        status=next((status for share, status in _RARE if luck < share), "normal"),
        maintenance_window=f"{number % 24:02}:00-{(number + 4) % 24:02}:00",
        network=Network(private_ip=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"),
    )
