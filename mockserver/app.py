"""The Flask application: the only translation between WSGI and the core's values."""

from __future__ import annotations

import secrets
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import BaseConverter, Rule

from mockserver.admin import create_admin
from mockserver.engine import MAX_BODY, Engine, load_engine
from mockserver.logs import LOGGER, log_exchange
from mockserver.model import ApiError, ApiRequest, Exchange
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIEnvironment


def create_app(
    settings: Settings | None = None,
    *,
    clock: Callable[[], float] = time.time,
    new_request_id: Callable[[], str] = lambda: secrets.token_hex(16),
) -> MockApp:
    """The mock as a WSGI application, for any WSGI server.

    `clock` gives Unix time in seconds, `new_request_id` 32 hexadecimal digits. Raises TaurusMockError for a setting or
    document that is unusable.
    """
    settings = settings or Settings()
    app = MockApp("mockserver", static_folder=None)
    engine = app.engine = load_engine(settings)
    app.new_request_id = new_request_id
    app.session_interface = _NoSessions()
    app.url_map.merge_slashes = False  # a redirect breaks signatures, and the Python SDK takes it for a success
    app.url_map.converters["anything"] = _Anything
    app.url_map.add(Rule("/<anything:path>", endpoint="api"))
    app.register_blueprint(create_admin(settings, engine, new_request_id))

    @app.endpoint("api")
    def serve(path: str = "") -> Response:  # the core reads the path from the environment
        del path
        started = time.perf_counter()
        api_request = to_api_request(request.environ, received_at=clock(), request_id=new_request_id())
        exchange = answer(engine, api_request)
        log_exchange(exchange, (time.perf_counter() - started) * 1000)
        return to_response(exchange)

    app.register_error_handler(404, lambda _: serve())
    return app


class MockApp(Flask):
    """The application, with what the server needs for what never reaches it."""

    engine: Engine
    new_request_id: Callable[[], str]


class _NoSessions(SessionInterface):
    """The API has no cookies, so no request pays for them."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        del app, request
        return self._session

    def is_null_session(self, obj: object) -> bool:
        del obj
        return True

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing is ever in one."""


class _Anything(BaseConverter):
    """Every path: the contract documents route, not Flask."""

    regex = r"(?s:.*)"
    part_isolating = False


def answer(engine: Engine, api_request: ApiRequest) -> Exchange:
    """The engine's answer; a failure of the engine itself becomes a documented 500, and its trace goes to the log."""
    try:
        return engine.handle(api_request)
    except Exception:  # noqa: BLE001  # logged, and answered in the documented form
        LOGGER.exception("the mock failed; request_id=%s", api_request.request_id)
        return engine.refuse(api_request, ApiError("mock-failure"))


def to_api_request(environ: WSGIEnvironment, *, received_at: float, request_id: str) -> ApiRequest:
    """The request in a WSGI environment."""
    body, size = _read_body(environ)
    return ApiRequest(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        headers={_header_name(key): value for key, value in environ.items() if key.startswith(_HEADER_KEYS)},
        body=body,
        body_size=size,
        request_id=request_id,
        received_at=received_at,
    )


def to_response(exchange: Exchange) -> Response:
    """The reply as Flask sends it."""
    reply = exchange.reply
    headers = [("Content-Type", "application/json"), ("X-Request-Id", exchange.request.request_id), *reply.headers]
    if exchange.scenario is not None:
        headers.append(("X-Mock-Scenario", exchange.scenario))
    return Response(reply.body, reply.status, headers)


_HEADER_KEYS = ("HTTP_", "CONTENT_")


@lru_cache(maxsize=256)
def _header_name(key: str) -> str:
    """The lower-case name of the header behind a key of the environment."""
    return key.removeprefix("HTTP_").replace("_", "-").lower()


def _read_body(environ: WSGIEnvironment) -> tuple[bytes, int]:
    """The body and its size; a body over the limit is counted, not kept."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal():
        size = int(length)
        return (environ["wsgi.input"].read(size) if 0 < size <= MAX_BODY else b""), size
    if not environ.get("wsgi.input_terminated"):
        return b"", 0  # without a length there is no body, says WSGI
    body = environ["wsgi.input"].read(MAX_BODY + 1)
    return (body if len(body) <= MAX_BODY else b""), len(body)
