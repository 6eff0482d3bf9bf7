"""A small, correct implementation of the one endpoint: POST /v3/{project_id}/instances/database-version/upgrade.

The contract suite is tested with it: `changes.py` replaces one line at a time and says what the suite should find. So
it is written for that: one decision per line, the wire included, and nothing but the standard library. It serves on a
free port of 127.0.0.1 until it is killed; the line that says where is its only output.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from contextlib import suppress
from decimal import Decimal
from typing import BinaryIO, NoReturn
from urllib.parse import unquote

ROUTE = re.compile(r"/v3/([^/]+)/instances/database-version/upgrade")
PROJECT_ID = re.compile(r"[A-Za-z0-9]{32}")
CALLS_PER_CONNECTION = 10_000
REMEMBERS = False
UPGRADED: set[tuple[str, str]] = set()  # a project and an instance, where the server remembers them
GATE = threading.Lock()
REFUSALS = {
    "malformed": (400, "APIGW.0201", "The HTTP request is malformed.", "HTTP 请求格式错误。"),
    "route": (404, "APIGW.0101", "The API does not exist.", "API 不存在。"),
    "method": (405, "APIGW.0101", "The API does not exist with this method.", "API 不支持该方法。"),
    "token": (401, "APIGW.0301", "The token is missing.", "缺少 Token。"),
    "project": (400, "DBS.200001", "project_id is not 32 letters and digits.", "project_id 不是 32 位字母和数字。"),
    "media-type": (400, "DBS.200001", "The media type is not application/json.", "媒体类型不是 application/json。"),
    "empty": (400, "DBS.200006", "The request is empty.", "请求为空。"),
    "encoding": (400, "DBS.200001", "The body is not UTF-8.", "请求体不是 UTF-8。"),
    "json": (400, "DBS.200001", "The body is not JSON.", "请求体不是 JSON。"),
    "body": (400, "DBS.200001", "The body is not an object.", "请求体不是对象。"),
    "no-batch": (400, "DBS.200001", "databases_instance_infos is missing.", "缺少 databases_instance_infos。"),
    "batch": (400, "DBS.200001", "databases_instance_infos is not a list.", "databases_instance_infos 不是列表。"),
    "item": (400, "DBS.200001", "An instance is not an object.", "实例不是对象。"),
    "no-id": (400, "DBS.200001", "instance_id is missing.", "缺少 instance_id。"),
    "id": (400, "DBS.200001", "instance_id is not a string.", "instance_id 不是字符串。"),
    "no-version": (400, "DBS.200001", "current_version is missing.", "缺少 current_version。"),
    "version": (400, "DBS.200001", "current_version is not a string.", "current_version 不是字符串。"),
    "no-delay": (400, "DBS.200001", "delay is missing.", "缺少 delay。"),
    "delay": (400, "DBS.200001", "delay is neither true nor false.", "delay 既不是 true 也不是 false。"),
    "upgraded": (409, "DBS.200019", "An instance is being upgraded.", "实例正在升级。"),
    "failure": (500, "DBS.200005", "Server failure.", "服务器故障。"),
}
PHRASES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
}


class Request:
    """One call as it came: header names are lower-case, the path is without its query and not decoded."""

    def __init__(self) -> None:
        self.method = ""
        self.path = ""
        self.version = "HTTP/1.1"
        self.headers: dict[str, str] = {}
        self.body = b""
        self.keep = True
        self.malformed = False


class Refusal(Exception):  # noqa: N818  # it is an answer, not an error of ours
    """The reason why a call is refused: a key of `REFUSALS`."""


def answer(request: Request) -> tuple[int, object]:
    """The status and the JSON value that answer a request."""
    try:
        check(request)
        status, payload = success(request)
    except Refusal as refusal:
        status, payload = error(request, str(refusal))
    except Exception:  # noqa: BLE001  # whatever a changed line does wrong shows as a server error
        status, payload = error(request, "failure")
    return status, payload


def success(request: Request) -> tuple[int, object]:  # noqa: ARG001  # changed lines look at the request
    """What answers a request that is as documented."""
    payload: dict[str, object] = {}
    payload["resp"] = "success"
    return 200, payload


def error(request: Request, reason: str) -> tuple[int, object]:
    """What answers a request that is refused."""
    status, code, english, chinese = REFUSALS[reason]
    language = request.headers.get("x-language", "en-us").lower()
    message = chinese if language == "zh-cn" else english
    payload: dict[str, object] = {}
    payload["error_code"] = code
    payload["error_msg"] = message
    return status, payload


def check(request: Request) -> None:
    """Everything that a request has to be, in this order; raises the first Refusal."""
    if request.malformed:
        raise Refusal("malformed")
    route = ROUTE.fullmatch(request.path)
    if route is None:
        raise Refusal("route")
    if request.method != "POST":
        raise Refusal("method")
    check_token(request.headers)
    check_project_id(unquote(route[1]))
    check_media_type(request.headers)
    text = decode(request.body)
    value = parse(text)
    check_body(value)
    if REMEMBERS:
        upgrade(unquote(route[1]), value)


def check_token(headers: dict[str, str]) -> None:
    """A token that is not empty, or a signature, which nobody verifies."""
    token = headers.get("x-auth-token", "")
    signature = headers.get("authorization", "")
    signed = signature.startswith("SDK-HMAC-SHA256")
    if not token and not signed:
        raise Refusal("token")


def check_project_id(project_id: str) -> None:
    """32 letters and digits of ASCII."""
    if not PROJECT_ID.fullmatch(project_id):
        raise Refusal("project")


def check_media_type(headers: dict[str, str]) -> None:
    """JSON, whatever the parameters; a request that does not say is taken as JSON."""
    content_type = headers.get("content-type", "application/json")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal("media-type")


def decode(body: bytes) -> str:
    """The text of a body."""
    if not body.strip():
        raise Refusal("empty")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("encoding") from None
    return text


def refuse_constant(_name: str) -> NoReturn:
    """NaN and Infinity, which Python would take."""
    raise Refusal("json")


def parse(text: str) -> object:
    """The value of a JSON text; whole numbers are decimals, which may have any length."""
    try:
        value: object = json.loads(text, parse_constant=refuse_constant, parse_int=Decimal)
    except json.JSONDecodeError:
        raise Refusal("json") from None
    except RecursionError:
        raise Refusal("json") from None
    return value


def check_body(value: object) -> None:
    """The two keys and what they hold; keys beyond them are nobody's business."""
    if not isinstance(value, dict):
        raise Refusal("body")
    if "databases_instance_infos" not in value:
        raise Refusal("no-batch")
    batch = value["databases_instance_infos"]
    if not isinstance(batch, list):
        raise Refusal("batch")
    for item in batch:
        check_item(item)
    if "delay" not in value:
        raise Refusal("no-delay")
    delay = value["delay"]
    if not is_delay(delay):
        raise Refusal("delay")


def check_item(item: object) -> None:
    """One instance: two strings."""
    if not isinstance(item, dict):
        raise Refusal("item")
    if "instance_id" not in item:
        raise Refusal("no-id")
    instance_id = item["instance_id"]
    if not isinstance(instance_id, str):
        raise Refusal("id")
    if "current_version" not in item:
        raise Refusal("no-version")
    current_version = item["current_version"]
    if not isinstance(current_version, str):
        raise Refusal("version")


def upgrade(project_id: str, value: dict[str, list[dict[str, str]]]) -> None:
    """Upgrade every instance of a batch, or none where one of them was upgraded before."""
    named = {(project_id, item["instance_id"]) for item in value["databases_instance_infos"]}
    with GATE:
        again = named & UPGRADED
        if again:
            raise Refusal("upgraded")
        UPGRADED.update(named)


def is_delay(value: object) -> bool:
    """A boolean, or its name in lower case."""
    if isinstance(value, bool):
        accepted = True
    elif isinstance(value, str):
        accepted = value in {"true", "false"}
    else:
        accepted = False
    return accepted


def read_request(stream: BinaryIO, connection: socket.socket) -> Request | None:
    """The next request of a connection, its body read to the end; None when the client has closed."""
    start = stream.readline()
    if not start:
        return None
    request = Request()
    try:
        request.method, target, request.version = start.decode("latin-1").split()
        request.path = target.partition("?")[0]
        request.headers = read_headers(stream)
        if request.headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = read_body(stream, request.headers)
        wish = request.headers.get("connection", "").lower()
        request.keep = request.version == "HTTP/1.1" and wish != "close"
    except ValueError:
        request.malformed = True
        request.keep = False  # where the next request begins is unknown
    return request


def read_headers(stream: BinaryIO) -> dict[str, str]:
    """The lines up to the empty one, also those that follow the last chunk."""
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise ValueError(name)
        headers[name.lower()] = value.strip()
    return headers


def read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    """The body, whichever way its length is told."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return read_chunks(stream)
    length = int(headers.get("content-length", "0"))
    return read_exactly(stream, length)


def read_chunks(stream: BinaryIO) -> bytes:
    """A body in chunks, whose extensions and trailer are read and ignored."""
    body = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += read_exactly(stream, size)
        stream.readline()
    read_headers(stream)
    return body


def read_exactly(stream: BinaryIO, length: int) -> bytes:
    """So many bytes, or the end of the connection for both sides."""
    if length < 0:
        raise ValueError(length)
    data = stream.read(length)
    if len(data) < length:
        raise ConnectionError
    return data


def render(request: Request, status: int, payload: object) -> bytes:
    """A reply as it goes over the wire."""
    text = json.dumps(payload, ensure_ascii=False)
    body = text.encode("utf-8")
    version = "HTTP/1.1"
    phrase = PHRASES.get(status, "Status")
    media_type = "application/json"
    headers = [("Content-Type", media_type)]
    if status == 405:
        headers.append(("Allow", "POST"))
    headers.append(("Content-Length", str(len(body))))
    headers.append(("Connection", "keep-alive" if request.keep else "close"))
    lines = [f"{version} {status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"
    shown = b"" if request.method == "HEAD" else body
    return head + shown


def converse(connection: socket.socket) -> None:
    """Every call of one connection, until one side ends it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError), connection, connection.makefile("rb") as stream:
        for number in range(1, CALLS_PER_CONNECTION + 1):
            request = read_request(stream, connection)
            if request is None:
                break
            request.keep = request.keep and number < CALLS_PER_CONNECTION
            status, payload = answer(request)
            data = render(request, status, payload)
            connection.sendall(data)
            if not request.keep:
                break


class Server:
    """The endpoint on a free port of 127.0.0.1: `serve` until another thread calls `close`."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections: list[socket.socket] = []
        self.threads: list[threading.Thread] = []

    def serve(self) -> None:
        """Give each connection a thread of its own."""
        with suppress(OSError):
            while True:
                connection, _address = self.listener.accept()
                self.connections = [known for known in self.connections if known.fileno() >= 0] + [connection]
                self.threads = [known for known in self.threads if known.is_alive()]
                thread = threading.Thread(target=converse, args=(connection,), daemon=True)
                thread.start()
                self.threads.append(thread)

    def close(self) -> None:
        """End `serve` and every connection, and wait for their threads."""
        for endpoint in (self.listener, *self.connections):
            with suppress(OSError):  # a connection may have ended by itself
                endpoint.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            if thread.is_alive():
                thread.join()


if __name__ == "__main__":
    server = Server()
    sys.stdout.write(f"ready url={server.url}\n")
    sys.stdout.flush()
    server.serve()
