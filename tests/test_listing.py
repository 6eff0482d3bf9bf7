"""The filters and pages of the API's lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fleets import batch_of, call, decide, fleet_of, instance, instance_id
from support import NOW

from mockserver.fleet import Instance, Network, Policy
from mockserver.listing import instance_page, job_page, require_job
from mockserver.model import ApiError

if TYPE_CHECKING:
    from mockserver.project_fleet import ProjectFleet

FLEET = (
    instance(1, name="orders-db", tags=(("stage", "production"), ("team", "shop"))),
    instance(2, name="users-db", tags=(("stage", "production"),), network=Network(private_ip="10.0.0.2")),
    instance(3, name="orders", tags=(("stage", "test"), ("note", "")), network=Network(vpc_id="v", subnet_id="s")),
    instance(4, name="*star", tags=(("a=b", "c=d"),), network=Network(readonly_private_ip="10.0.0.2", proxy_ip="p")),
    instance(5, name="Orders-DB", tags=()),
)
NOWHERE = Network()


def listed(**query: object) -> list[int]:
    """The numbers of the instances that a list has, all on one page; their count must be told."""
    page, total = instance_page(call("ListGaussMySqlInstances", state=fleet_of(*FLEET), query=query))
    assert total == len(page)
    return [FLEET.index(each) + 1 for each in page]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"id": instance_id(2)}, [2]),
        ({"id": instance_id(2)[:-1]}, []),
        ({"id": "*2in07"}, [2]),
        ({"id": "*in07"}, [1, 2, 3, 4, 5]),
        ({"id": "unknown"}, []),
        ({"name": "orders"}, [3]),
        ({"name": "orders-db"}, [1]),
        ({"name": "*orders"}, [1, 3]),
        ({"name": "*db"}, [1, 2]),
        ({"name": "*r"}, [1, 2, 3, 4, 5]),
        ({"name": "*ORDERS"}, []),
        ({"name": "*star"}, [4]),
        ({"name": "**star"}, [4]),
        ({"name": "orders*"}, []),
        ({"type": "Cluster"}, [1, 2, 3, 4, 5]),
        ({"type": "Single"}, []),
        ({"datastore_type": "gaussdb-mysql"}, [1, 2, 3, 4, 5]),
        ({"datastore_type": "mysql"}, []),
        ({"private_ip": "10.0.0.2"}, [2]),
        ({"readonly_private_ip": "10.0.0.2"}, [4]),
        ({"proxy_ip": "p"}, [4]),
        ({"vpc_id": "v"}, [3]),
        ({"subnet_id": "s"}, [3]),
        ({"vpc_id": NOWHERE.vpc_id}, [1, 2, 4, 5]),
        ({"private_ip": "10.0.0"}, []),
        ({"tags": "stage=production"}, [1, 2]),
        ({"tags": "stage=production,team=shop"}, [1]),
        ({"tags": "team=shop,stage=production"}, [1]),
        ({"tags": "stage=test,stage=production"}, []),
        ({"tags": "note="}, [3]),
        ({"tags": "note"}, [3]),
        ({"tags": "stage"}, []),
        ({"tags": "Stage=production"}, []),
        ({"name": "*orders", "tags": "stage=production", "id": instance_id(1)}, [1]),
        ({"name": "*orders", "private_ip": "10.0.0.2"}, []),
    ],
    ids=[
        "everything", "id", "a-begin-of-the-id", "a-part-of-the-id", "what-all-have", "unknown", "name", "whole-name",
        "a-part", "a-part-at-the-end", "a-part-that-many-have", "letter-case", "a-part-of-a-name-with-an-asterisk",
        "an-asterisk-itself", "asterisk-behind", "type", "another-type", "engine", "another-engine", "address",
        "reading-address", "proxy", "vpc", "subnet", "the-usual-vpc", "part-of-an-address", "tag", "two-tags",
        "two-tags-in-another-order", "two-values-of-one-tag", "tag-without-value", "key-alone", "key-of-another-value",
        "letter-case-of-a-key", "several-filters", "filters-that-no-instance-passes",
    ],
)  # fmt: skip
def test_an_instance_is_listed_when_it_passes_every_filter(query: dict[str, Any], found: list[int]) -> None:
    assert listed(**query) == found


@pytest.mark.parametrize(
    ("offset", "limit", "found", "total"),
    [(0, 100, [1, 2, 5], 3), (0, 2, [1, 2], 3), (1, 1, [2], 3), (2, 100, [5], 3), (3, 100, [], 3), (1000, 1, [], 3)],
    ids=["all", "first", "middle", "last", "at-the-end", "far-behind"],
)
def test_a_page_of_instances_counts_from_0_and_tells_how_many_there_are(
    offset: int, limit: int, found: list[int], total: int
) -> None:
    state = fleet_of(instance(1), instance(2), instance(3, name="other"), instance(4, name="other"), instance(5))
    query = {"name": "*db-", "offset": offset, "limit": limit}
    page, told = instance_page(call("ListGaussMySqlInstances", state=state, query=query))
    assert ([each.id for each in page], told) == ([instance_id(number) for number in found], total)


def test_adopted_instances_are_listed_behind_the_fleets() -> None:
    state = fleet_of(instance(5))
    decide(state=state, body=batch_of(2, 1, delay=False))
    page, _ = instance_page(call("ListGaussMySqlInstances", state=state))
    assert [each.id for each in page] == [instance_id(number) for number in (5, 2, 1)]


# Jobs


def with_jobs(*times: float, delay: bool = False, policy: Policy | None = None) -> ProjectFleet:
    """A project in which one instance after the other was upgraded at these times."""
    state = fleet_of(*(Instance(f"i{number}", f"n{number}", "1.0.0.0") for number in range(len(times))))
    for number, now in enumerate(times):
        body = {
            "databases_instance_infos": [{"instance_id": f"i{number}", "current_version": "1.0.0.0"}],
            "delay": delay,
        }
        decide(state=state, body=body, now=now, policy=policy or Policy(), request_id=f"{number:032x}")
    return state


def jobs(state: ProjectFleet, operation: str = "ListImmediateJobs", now: float = NOW, **query: object) -> list[str]:
    """The instances of the jobs on a page."""
    kinds = {"ListImmediateJobs": ("immediate", "check"), "ListScheduleJobs": ("scheduled",)}[operation]
    page, _ = job_page(call(operation, state=state, query=query, now=now), *kinds)
    return [job.instance_id for job in page]


@pytest.mark.parametrize(
    ("offset", "limit", "found"),
    [
        (1, 10, ["i4", "i3", "i2", "i1", "i0"]),
        (0, 10, ["i4", "i3", "i2", "i1", "i0"]),
        (1, 2, ["i4", "i3"]),
        (2, 2, ["i3", "i2"]),
        (5, 2, ["i0"]),
        (6, 2, []),
        (10**30, 10, []),
    ],
    ids=["all", "from-0", "first", "second", "last", "behind-the-end", "far-behind"],
)
def test_a_page_of_jobs_counts_from_1_the_newest_first(offset: int, limit: int, found: list[str]) -> None:
    state = with_jobs(*(NOW + second for second in range(5)))
    assert jobs(state, offset=offset, limit=limit) == found
    _, total = job_page(call("ListImmediateJobs", state=state, query={"offset": offset, "limit": limit}), "immediate")
    assert total == 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"start_time": "2027-01-15T08:00:00+0000"}, ["i2", "i1"]),
        ({"start_time": "2027-01-15T08:00:00Z"}, ["i2", "i1"]),
        ({"start_time": "2027-01-15T09:00:00+0100"}, ["i2", "i1"]),
        ({"start_time": "2027-01-15T03:30:00-0430"}, ["i2", "i1"]),
        ({"start_time": "2027-01-15T08:00:01+0000"}, ["i2"]),
        ({"end_time": "2027-01-15T08:00:00+0000"}, ["i1", "i0"]),
        ({"end_time": "2027-01-15T07:59:59+0000"}, ["i0"]),
        ({"end_time": "2027-01-15T07:59:58+0000"}, []),
        ({"start_time": "2027-01-15T08:00:00+0000", "end_time": "2027-01-15T08:00:00+0000"}, ["i1"]),
        ({"start_time": "2027-01-15T08:00:01+0000", "end_time": "2027-01-15T07:00:00+0000"}, []),
        ({"start_time": "0001-01-01T00:00:00+1400", "end_time": "9999-12-31T23:59:59-1400"}, ["i2", "i1", "i0"]),
    ],
    ids=[
        "from", "from-as-z", "from-in-another-zone", "from-in-half-a-zone", "from-the-next-second", "until",
        "until-the-second-before", "until-two-before", "within-a-second", "from-later-than-until", "all-times",
    ],
)  # fmt: skip
def test_jobs_are_listed_by_the_time_at_which_they_were_made(query: dict[str, str], found: list[str]) -> None:
    """NOW is 2027-01-15T08:00:00Z; the last second counts as a whole."""
    assert jobs(with_jobs(NOW - 0.5, NOW + 0.5, NOW + 1), now=NOW + 10, **query) == found


@pytest.mark.parametrize("text", ["2027-02-29T00:00:00+0000", "2027-04-31T00:00:00Z", "0000-01-01T00:00:00Z"])
@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_a_time_that_never_was_is_refused(name: str, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        jobs(with_jobs(NOW), **{name: text})
    assert (caught.value.name, caught.value.about) == ("time-impossible", (f"{name}={text}",))


def test_jobs_are_listed_by_their_status_at_the_time() -> None:
    state = with_jobs(NOW, NOW + 60, policy=Policy(upgrade_seconds=60))
    found = {
        (status, later): jobs(state, now=NOW + later, status=status)
        for status in ("Pending", "Running", "Completed", "Failed")
        for later in (-1, 0, 60, 120)
    }
    assert {key: names for key, names in found.items() if names} == {
        ("Pending", -1): ["i1", "i0"],
        ("Pending", 0): ["i1"],
        ("Running", 0): ["i0"],
        ("Running", 60): ["i1"],
        ("Completed", 60): ["i0"],
        ("Completed", 120): ["i1", "i0"],
    }


def test_jobs_are_listed_by_kind_name_id_and_instance() -> None:
    state = with_jobs(NOW, NOW)
    decide(state=state, body=batch_of(1, 2, delay=True))
    decide("CheckKernelUpgrade", state=state, body=batch_of(1))
    ids = {(job.kind, job.instance_id): job.id for job in state.jobs.values()}
    assert jobs(state) == [instance_id(1), "i1", "i0"]
    assert jobs(state, job_name="UpgradeGaussDBforMySQLDatabaseVersion") == ["i1", "i0"]
    assert jobs(state, job_name="CheckGaussDBforMySQLDatabaseVersion") == [instance_id(1)]
    assert jobs(state, job_name="VERSION_UPGRADE") == jobs(state, job_id=ids["scheduled", instance_id(1)]) == []
    assert jobs(state, job_id=ids["immediate", "i0"]) == ["i0"]
    scheduled = "ListScheduleJobs"
    assert jobs(state, scheduled) == [instance_id(2), instance_id(1)]
    assert jobs(state, scheduled, instance_id=instance_id(1), job_name="VERSION_UPGRADE") == [instance_id(1)]
    assert jobs(state, scheduled, instance_id="i0") == jobs(state, scheduled, job_id=ids["immediate", "i0"]) == []


def test_a_job_is_found_by_its_id_or_refused() -> None:
    state = with_jobs(NOW)
    (job_id,) = state.jobs
    assert require_job(call(state=state), job_id) == state.jobs[job_id]
    with pytest.raises(ApiError) as caught:
        require_job(call(state=state), "another")
    assert (caught.value.name, caught.value.about) == ("job-unknown", ("another",))
