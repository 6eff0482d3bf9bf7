"""Requests as lines for a shell, with names in place of the secrets."""

from __future__ import annotations

import base64
import shlex
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract_tests.messages import Request

_LONG = 2000
"""Bytes of a body that a line shows as they are."""


def curl(url: str, requests: Sequence[Request]) -> str:
    """One command that sends the requests one after another on one connection; `url` is scheme and host."""
    # Only one body can come through the pipe; those before it need what bash has and other shells have not.
    last = max((number for number, request in enumerate(requests) if not _is_plain(request.body)), default=None)
    parts = [_arguments(url, request, is_piped=number == last) for number, request in enumerate(requests)]
    command = "curl -sS -i --path-as-is --globoff " + " --next -sS -i --path-as-is --globoff ".join(parts)
    return command if last is None else f"{_pipe(requests[last].body)} | {command}"


def curl_at_once(url: str, requests: Sequence[Request]) -> str:
    """One line that sends the requests at the same moment."""
    return " & ".join(curl(url, [request]) for request in requests) + " & wait"


def _arguments(url: str, request: Request, *, is_piped: bool) -> str:
    words, unquoted = ["-X", request.method], []
    names = {name.lower() for name, _ in request.headers}
    for name, value in request.headers:
        words += ["-H", f"{name}: {value}" if value.strip() else f"{name};"]
    for name in sorted({"accept", "content-type", "expect"} - names):
        words += ["-H", f"{name}:"]
    if is_piped:
        words += ["--data-binary", "@-"]
    elif not _is_plain(request.body):
        unquoted = ["--data-binary", f"@<({_pipe(request.body)})"]
    elif request.body:
        words += ["--data-binary", request.body.decode()]
    elif request.method in ("POST", "PUT", "PATCH"):
        words += ["-H", "Content-Length: 0"]
    return " ".join([*map(_quoted, words), *unquoted, _quoted(url + request.target)])


def _is_plain(body: bytes) -> bool:
    """Whether a shell can have the body as an argument."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(body) <= _LONG and "\0" not in text and not text.startswith("@")


def _pipe(body: bytes) -> str:
    """A command that prints any bytes, short for those that repeat themselves."""
    packer = zlib.compressobj(9, wbits=31)
    packed = base64.b64encode(packer.compress(body) + packer.flush()).decode()
    return f"printf %s {packed} | base64 -d | gunzip"


def _quoted(word: str) -> str:
    """A word for the shell, in which the names of secrets stay to be replaced."""
    if "$" in word and word.replace("$TOKEN", "").replace("$AUTHORIZATION", "").count("$") == 0:
        escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
        return f'"{escaped}"'
    return shlex.quote(word)
