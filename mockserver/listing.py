"""The filters and pages of the API's lists."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from mockserver.fleet import Network
from mockserver.model import ApiError
from mockserver.presenting import ENGINE, JOB_NAMES
from mockserver.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.calls import Call
    from mockserver.fleet import Instance, Job


def instance_page(call: Call) -> tuple[list[Instance], int]:
    """The instances of a page and how many there are in all, by the query's filters, offset and limit."""
    query = call.query
    filters: dict[str, Callable[[str], Callable[[Instance], bool]]] = {
        "id": lambda value: _text_filter(attrgetter("id"), value),
        "name": lambda value: _text_filter(attrgetter("name"), value),
        "type": lambda value: lambda _: value == "Cluster",
        "datastore_type": lambda value: lambda _: value == ENGINE,
        "tags": _tags_filter,
        **{name: partial(_network_filter, name) for name in Network.__slots__},
    }
    chosen = [make(query[name]) for name, make in filters.items() if query[name] is not None]
    return call.fleet.page(chosen, query["offset"], query["limit"])


def job_page(call: Call, *kinds: str) -> tuple[list[Job], int]:
    """The jobs of a page, the newest first, and how many there are in all, by the query's filters, offset and limit."""
    query, now = call.query, call.fleet.now
    earliest, latest = (_moment(name, query[name]) for name in ("start_time", "end_time"))
    found = [
        job
        for job in call.fleet.jobs(*kinds)
        if query["job_id"] in (None, job.id)
        and query["job_name"] in (None, JOB_NAMES[job.kind])
        and query.get("instance_id") in (None, job.instance_id)
        and query["status"] in (None, job.status(now))
        and (earliest is None or job.created >= earliest)
        # Times have whole seconds in the API, so the last second counts as a whole.
        and (latest is None or job.created < latest + 1)
    ]
    first = max(query["offset"] - 1, 0)  # counted from 1
    return found[first : first + query["limit"]], len(found)


def require_job(call: Call, job_id: str) -> Job:
    """The job with an id; raises ApiError when there is none."""
    job = call.fleet.job(job_id)
    if job is None:
        raise ApiError("job-unknown", about=(job_id,))
    return job


def _text_filter(read: Callable[[Instance], str], value: str) -> Callable[[Instance], bool]:
    """Instances whose text is a value; `*` before the value means that it may be a part."""
    if value.startswith("*"):
        return lambda instance: value[1:] in read(instance)
    return lambda instance: read(instance) == value


def _network_filter(name: str, value: str) -> Callable[[Instance], bool]:
    return lambda instance: getattr(instance.network, name) == value


def _tags_filter(value: str) -> Callable[[Instance], bool]:
    """Instances with all tags of `key=value,key=value`."""
    tags = {tuple(tag.partition("=")[::2]) for tag in value.split(",")}
    return lambda instance: tags <= set(instance.tags)


def _moment(name: str, text: str | None) -> float | None:
    """Unix seconds of a time in the query; raises ApiError when there is no such time, as on the 31st of April."""
    if text is None:
        return None
    seconds = parse_time(text)
    if seconds is None:
        raise ApiError("time-impossible", about=(f"{name}={text}",))
    return seconds
