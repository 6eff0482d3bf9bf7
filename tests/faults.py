"""What clients make of a reply that breaks, waits or lies; `python tests/faults.py` writes it to docs/scenarios.md."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkgaussdb.v3 import (
    BatchUpgradeDatabasesRequest,
    BatchUpgradeDatabasesRequestBody,
    GaussDBClient,
    UpgradeDatabasesSingleInstance,
)
from support import INSTANCE, batch

from mockserver import MockServer
from mockserver.catalogue import load_catalogue
from mockserver.model import Reply
from mockserver.scenarios import Scenario, Wait, bundled_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockserver import MockProject

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scenarios.md"
BODY = json.dumps(batch()).encode()
HEADERS = {"Content-Type": "application/json", "X-Auth-Token": "any"}
PATIENT, IMPATIENT = 30.0, 0.3
"""Seconds that a client waits for bytes: more than it ever needs, and less than the answer takes."""
_SHOWN = 48
_REQUEST_ID = re.compile("[0-9a-f]{32}")
_PART = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- end -->)", re.DOTALL)


def probed() -> dict[str, Scenario]:
    """The bundled scenarios that break, delay or drip a reply, or answer what the catalogue does not say."""
    scenarios = bundled_scenarios(load_catalogue().errors)
    return {
        name: scenario
        for name, scenario in scenarios.items()
        if any(s.fault or s.wait or s.pieces > 1 or isinstance(s.answer, Reply) for s in scenario.steps)
    }


def patience(scenario: Scenario) -> float:
    """Seconds to wait for an answer: few when none comes for long."""
    step = scenario.steps[0]
    return IMPATIENT if step.fault == "hang" or (step.wait or Wait("fixed", 0)).first > PATIENT else PATIENT


def ask(project: MockProject, timeout: float) -> socket.socket:
    """A connection on which the upgrade has been asked for and nothing been read."""
    address = urlsplit(project.url)
    lines = [f"POST {project.path} HTTP/1.1", f"Host: {address.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in {**HEADERS, "Content-Length": str(len(BODY))}.items()]
    connection = socket.create_connection((str(address.hostname), address.port), PATIENT)
    connection.settimeout(timeout)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + BODY)
    return connection


def read_pieces(project: MockProject, timeout: float) -> list[bytes]:
    """What each read of a socket gives, until the connection ends."""
    with ask(project, timeout) as connection:
        return list(iter(lambda: connection.recv(65536), b""))


def with_socket(project: MockProject, timeout: float) -> str:
    """The bytes that came, as far as they are HTTP."""
    data = b"".join(read_pieces(project, timeout))
    if not data:
        return "closes without a byte"
    head, _, body = data.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d+)", head)
    if not status:
        return f"{len(data)} bytes that are no HTTP"
    promised = re.search(rb"(?i)content-length: (\d+)", head)
    short = int(promised[1]) - len(body) if promised else 0
    return _shown(int(status[1]), body.decode()) + (f" and {short} bytes too few" if short else "")


def with_requests(project: MockProject, timeout: float) -> str:
    """What a session of requests gives, with nothing of the environment."""
    with requests.Session() as session:
        session.trust_env = False
        response = session.post(project.url + project.path, data=BODY, headers=HEADERS, timeout=(PATIENT, timeout))
        return _shown(response.status_code, response.text)


def with_httpx(project: MockProject, timeout: float) -> str:
    """What a client of httpx gives, with nothing of the environment."""
    with httpx.Client(trust_env=False, timeout=httpx.Timeout(PATIENT, read=timeout)) as client:
        response = client.post(project.url + project.path, content=BODY, headers=HEADERS)
        return _shown(response.status_code, response.text)


def with_sdk(project: MockProject, timeout: float) -> str:
    """What the official SDK makes of the reply: its status and `resp`."""
    instances = [UpgradeDatabasesSingleInstance(**INSTANCE)]
    body = BatchUpgradeDatabasesRequestBody(databases_instance_infos=instances, delay=False)
    client = _sdk_client(project, timeout)
    try:
        response = client.batch_upgrade_databases(BatchUpgradeDatabasesRequest(body=body))
        return f"{response.status_code} `resp={response.resp!r}`"
    finally:
        client.get_http_client().executor.shutdown()
        client.get_http_client().close()


CLIENTS: Mapping[str, Callable[[MockProject, float], str]] = {
    "raw socket": with_socket,
    "requests": with_requests,
    "httpx": with_httpx,
    "Python SDK": with_sdk,
}


def outcomes(mock: MockServer, scenario: Scenario) -> dict[str, str]:
    """What each client meets, by its name; each has a project of its own, always the same: garbage is drawn by it."""

    def probe(number: int, meet: Callable[[MockProject, float], str]) -> str:
        project = mock.project(f"{scenario.magic_id[4:28].encode().hex()[:31]}{number}")
        project.reset()
        with project.scenario(scenario.name):
            try:
                return meet(project, patience(scenario))
            except Exception as error:  # noqa: BLE001  # which one it is, is the outcome
                return f"`{type(error).__name__}`"

    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return dict(zip(CLIENTS, pool.map(probe, range(len(CLIENTS)), CLIENTS.values()), strict=True))


def row(name: str, cells: Mapping[str, str]) -> str:
    """A scenario's line of the table."""
    return f"| `{name}` | {' | '.join(cells[client] for client in CLIENTS)} |"


def heading() -> str:
    """The first two lines of the table."""
    return f"| Scenario | {' | '.join(CLIENTS)} |\n| --- |{' --- |' * len(CLIENTS)}"


def printed_table() -> list[str]:
    """The lines of the table in the page."""
    found = _PART.search(PAGE.read_text("utf-8"))
    return found[0].splitlines() if found else []


def nothing_of_this_machine(folder: str) -> Any:  # noqa: ANN401  # the type is private to unittest.mock
    """A context without proxies and with a home folder of its own: the SDK stores an id there, and reads .netrc."""
    alone = {
        "HOME": folder,
        "USERPROFILE": folder,
        "NETRC": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    return patch.dict(os.environ, alone)


def main() -> None:
    """Rewrite the table of the page."""
    with tempfile.TemporaryDirectory() as folder, nothing_of_this_machine(folder), MockServer() as mock:
        rows = [row(name, outcomes(mock, scenario)) for name, scenario in probed().items()]
    table = "\n".join([heading(), *rows]) + "\n"
    PAGE.write_text(_PART.sub(lambda _: table, PAGE.read_text("utf-8"), count=1), "utf-8")
    sys.stdout.write(table)


def _shown(status: int, text: str) -> str:
    """A reply as a cell of the table."""
    body = _REQUEST_ID.sub("...", text).replace("\r\n", " ").strip().replace("|", r"\|")
    return f"{status} `{body if len(body) <= _SHOWN else body[:_SHOWN] + '...'}`" if body else f"{status}, empty"


def _sdk_client(project: MockProject, timeout: float) -> Any:  # noqa: ANN401  # the SDK has no types
    config = HttpConfig(timeout=(PATIENT, timeout))
    keys = BasicCredentials("AKEXAMPLE", "SKEXAMPLE", project.project_id)
    builder = GaussDBClient.new_builder().with_http_config(config)
    return builder.with_credentials(keys).with_endpoint(project.url).build()


if __name__ == "__main__":
    main()
