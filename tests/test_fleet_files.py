"""Fleets from files and from a seed: what is refused with which words, and what an instance is in a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support import LATEST

from mockserver.errors import ResourceError
from mockserver.fleet import CHECKS, Instance, Network
from mockserver.fleet_files import generate_fleet, kernel_versions, load_fleet, parse_instance, show_instance
from mockserver.resources import bundle_root, read_object
from mockserver.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ONE: dict[str, Any] = {"id": f"{1:032x}in07", "version": "2.0.48.231200"}
OTHER = {**ONE, "id": f"{2:032x}in07"}


def write(folder: Path, document: object) -> str:
    path = folder / "fleet.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return str(path)


def test_a_fleet_is_that_of_its_file_in_its_order(tmp_path: Path) -> None:
    fleet = load_fleet(Settings(fleet=write(tmp_path, {"instances": [OTHER, ONE]})))
    assert list(fleet.instances) == [OTHER["id"], ONE["id"]]
    assert fleet.instances[ONE["id"]] == Instance(ONE["id"], "instance-00000000", "2.0.48.231200")
    assert fleet.latest_version == kernel_versions()[-1] == LATEST


def test_a_fleet_may_be_empty_and_may_say_which_version_is_the_latest(tmp_path: Path) -> None:
    document = {"description": "Nothing", "instances": [], "latest_version": "2.0.48.231200"}
    fleet = load_fleet(Settings(fleet=write(tmp_path, document)))
    assert (fleet.instances, fleet.latest_version) == ({}, "2.0.48.231200")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"instances": [ONE, {**OTHER, "sttus": "frozen"}]}, "at /instances/1: "),
        ({"instances": [{**ONE, "sttus": "frozen"}]}, "('sttus' is perhaps 'status')"),
        ({"instance": [ONE]}, "('instance' is perhaps 'instances')"),
        ({}, 'at the top: "instances" is a required property'),
        ({"instances": [{"version": "2.0.48.231200"}]}, 'at /instances/0: "id" is a required property'),
        ({"instances": [{**ONE, "version": "2.0.48"}]}, 'at /instances/0/version: "2.0.48" does not match'),
        ({"instances": [], "latest_version": "latest"}, 'at /latest_version: "latest" does not match'),
        ({"instances": [{**ONE, "id": "an id"}]}, 'at /instances/0/id: "an id" does not match'),
        ({"instances": [{**ONE, "status": "thawed"}]}, 'at /instances/0/status: "thawed" is not one of'),
        ({"instances": [{**ONE, "maintenance_window": "24:00-04:00"}]}, "at /instances/0/maintenance_window: "),
        ({"instances": [{**ONE, "failing_checks": ["Luck check"]}]}, "at /instances/0/failing_checks/0: "),
        ({"instances": [{**ONE, "tags": {"stage": 1}}]}, "at /instances/0/tags/stage: 1 is not of type"),
        (
            {"instances": [ONE, OTHER, ONE]},
            f"at /instances/2/id: {ONE['id']} comes twice; give each instance its own id",
        ),
        ([ONE], "at the top: "),
        ('{"instances": [', ":1:16: is not JSON: "),
    ],
    ids=[
        "unknown-key", "nearest-key", "nearest-key-at-the-top", "nothing", "no-id", "version-of-three-parts",
        "latest-version-of-no-form", "id-with-a-blank", "unknown-status", "no-such-hour", "unknown-check",
        "tag-that-is-no-text", "same-id-twice", "no-object", "no-json",
    ],
)  # fmt: skip
def test_an_unusable_file_is_refused_with_its_place(tmp_path: Path, document: object, text: str) -> None:
    path = write(tmp_path, document)
    with pytest.raises(ResourceError) as caught:
        load_fleet(Settings(fleet=path))
    assert str(caught.value).startswith(path)
    assert text in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere.json")
    with pytest.raises(ResourceError) as caught:
        load_fleet(Settings(fleet=path))
    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_the_demonstration_fleet_has_something_of_each_kind() -> None:
    instances = load_fleet(Settings()).instances.values()
    assert {each.status for each in instances} >= {"normal", "frozen", "abnormal"}
    assert any(each.version == LATEST for each in instances)
    assert any(each.upgrade_fails for each in instances)
    assert any(each.failing_checks for each in instances)
    assert any(each.tags for each in instances)
    assert all(re.fullmatch("[0-9a-f]{32}in07", each.id) for each in instances)


def test_the_kernel_versions_are_in_order() -> None:
    versions = [[int(part) for part in each.split(".")] for each in kernel_versions()]
    assert versions == sorted(versions)
    assert len({tuple(each) for each in versions}) == len(versions)


# Generated fleets


def test_a_generated_fleet_follows_from_its_seed() -> None:
    once, again, other = (generate_fleet(500, seed, kernel_versions()) for seed in (1, 1, 2))
    assert once == again
    assert once.instances != other.instances
    assert not set(once.instances) & set(other.instances)


def test_a_generated_fleet_begins_like_a_smaller_one_of_its_seed() -> None:
    large, small = (list(generate_fleet(size, 1, kernel_versions()).instances.values()) for size in (50, 20))
    assert large[:20] == small


def test_ten_thousand_generated_instances_are_all_different_and_of_the_documented_form() -> None:
    fleet = load_fleet(Settings(fleet_size=10_000, seed=7))
    instances = list(fleet.instances.values())
    assert len(instances) == len({each.name for each in instances}) == 10_000
    assert all(re.fullmatch("[0-9a-f]{32}in07", each.id) for each in instances)
    assert len({each.network.private_ip for each in instances}) == 10_000
    assert {each.version for each in instances} == set(kernel_versions())
    assert {each.maintenance_window for each in instances} == {f"{h:02}:00-{(h + 4) % 24:02}:00" for h in range(24)}
    few = {status: sum(each.status == status for each in instances) for status in ("frozen", "abnormal")}
    assert all(50 <= count <= 350 for count in few.values()), few
    assert sum(each.status == "normal" for each in instances) + sum(few.values()) == 10_000


def test_generated_instances_are_what_a_fleet_file_may_hold(tmp_path: Path) -> None:
    fleet = generate_fleet(200, 3, kernel_versions())
    written = write(tmp_path, {"instances": [show_instance(each) for each in fleet.instances.values()]})
    assert load_fleet(Settings(fleet=written)) == fleet


def test_a_generated_fleet_may_be_empty() -> None:
    assert load_fleet(Settings(fleet_size=0)).instances == {}


# One instance in a file

WHOLE: dict[str, Any] = {
    "id": "any-id", "name": "whole", "version": "2.0.48.231200", "status": "frozen",
    "maintenance_window": "22:00-02:00", "failing_checks": [CHECKS[1], CHECKS[3]], "upgrade_fails": "no luck",
    "tags": {"stage": "test", "team": ""}, "created": "2025-06-01T12:00:00+0200",
    "vpc_id": "a-vpc", "subnet_id": "a-subnet", "private_ip": "10.0.0.1", "readonly_private_ip": "10.0.0.2",
    "proxy_ip": "10.0.0.3",
}  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        WHOLE,
        {**ONE, "name": "plain"},
        *({"id": "i", "name": "n", "version": "1.2.3.4", key: WHOLE[key]} for key in WHOLE if key not in ONE),
    ],
    ids=["whole", "plain", *(key for key in WHOLE if key not in ONE)],
)
def test_an_instance_is_shown_as_a_file_has_it(document: dict[str, Any]) -> None:
    instance = parse_instance(document)
    assert show_instance(instance) == document
    assert parse_instance(show_instance(instance)) == instance


def test_what_is_left_out_has_its_default_and_is_not_shown() -> None:
    stated = {
        **ONE,
        "name": "n",
        "status": "normal",
        "maintenance_window": "02:00-06:00",
        "failing_checks": [],
        "tags": {},
    }
    assert show_instance(parse_instance(stated)) == {**ONE, "name": "n"}
    assert parse_instance(ONE).network == Network()


def test_failing_checks_come_in_the_vendors_order() -> None:
    assert parse_instance({**ONE, "failing_checks": list(reversed(CHECKS))}).failing_checks == CHECKS


def test_every_key_of_the_schema_is_read_and_shown() -> None:
    schema: Any = read_object(bundle_root() / "schemas" / "data" / "fleet.schema.json")
    assert set(WHOLE) == set(schema["$defs"]["instance"]["properties"])
    assert set(schema["$defs"]["instance"]["properties"]["failing_checks"]["items"]["enum"]) == set(CHECKS)
