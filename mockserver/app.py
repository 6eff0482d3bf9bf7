"""The Flask applications: the only translation between WSGI and the core's values."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, MapAdapter, Rule

from mockserver.admin import Admin
from mockserver.admin_routes import PREFIX, AdminRoutes
from mockserver.contract import not_allowed
from mockserver.delivery import Connection, Script, reply_headers, script_of
from mockserver.engine import MAX_BODY
from mockserver.guard import Guard
from mockserver.logs import log_request
from mockserver.mock import Mock, load_mock, new_request_id
from mockserver.model import ApiError, ApiRequest, Exchange
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug.datastructures import Headers

CONNECTION = "mockserver.connection"
"""Where the WSGI environment has the Connection, under a server that offers it."""


class MockApp(Flask):
    """An application, with its mock in reach of the server."""

    def __init__(self, mock: Mock) -> None:
        super().__init__("mockserver", static_folder=None)
        self.mock = mock
        self.session_interface = _NoSessions()
        self.url_map.merge_slashes = False  # a redirect breaks signatures, and the Python SDK takes it for a success
        self.url_map.converters["anything"] = _Anything

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Routes by method and path alone: a strange Host or an Upgrade is no reason to refuse a request."""
        if request is None:
            return super().create_url_adapter(None)
        path = request.environ["PATH_INFO"]
        own = path == _DOCUMENT or path.startswith(PREFIX)
        return self.url_map.bind("mock", default_method=request.method, path_info=path if own else _API)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Callable[[], float] = time.time,
    new_request_id: Callable[[], str] = new_request_id,
) -> MockApp:
    """The mock as a WSGI application, for any WSGI server.

    `clock` gives Unix time in seconds, `new_request_id` 32 hexadecimal digits. Raises TaurusMockError for a setting or
    document that is unusable.
    """
    return create_api_app(load_mock(settings or Settings(), clock, new_request_id))


def create_api_app(mock: Mock) -> MockApp:
    """The API of a mock, with its admin API unless that has a port of its own or is switched off."""
    app = MockApp(mock)
    if mock.settings.admin and mock.settings.admin_port is None:
        _add_admin(app)

    def receive(environ: WSGIEnvironment) -> ApiRequest:
        return to_api_request(environ, mock.clock(), mock.new_request_id())

    def document() -> Response:
        """The OpenAPI 3.1 document that the mock enforces, as its settings narrow it."""
        if request.method not in ("GET", "HEAD"):
            return to_response(mock.refuse(receive(request.environ), not_allowed(request.method, ["GET", "HEAD"])))
        text = json.dumps(mock.engine.contract.document, indent=2, ensure_ascii=False) + "\n"
        headers = [("X-Request-Id", mock.new_request_id())]
        return log_response(Response(text, headers=headers, content_type="application/json"))

    def serve() -> Response:
        environ = request.environ
        return deliver(mock, mock.exchange(receive(environ)), environ.get(CONNECTION))

    # Rules without methods: Flask answers neither OPTIONS nor a wrong method by itself.
    for rule, view in {_DOCUMENT: document, _API: serve}.items():
        app.url_map.add(Rule(rule, endpoint=rule))
        app.view_functions[rule] = view
    # Whatever Flask still objects to before a view is no matter of the API.
    app.register_error_handler(HTTPException, lambda _: serve())
    return app


def create_admin_app(mock: Mock) -> MockApp:
    """The admin API of a mock as an application of its own, for a port of its own."""
    app = MockApp(mock)
    routes = _add_admin(app)
    app.register_error_handler(HTTPException, lambda _: routes.refuse_unknown(request.method, request.path))
    return app


def _add_admin(app: MockApp) -> AdminRoutes:
    mock = app.mock
    guard = Guard(mock.settings.admin_token, frozenset({mock.settings.host.lower()}))
    routes = AdminRoutes(
        Admin(mock.settings, mock.engine, mock.journal, mock.clock), mock.engine.catalogue, guard, mock.new_request_id
    )
    blueprint = routes.blueprint()
    blueprint.after_request(log_response)
    app.register_blueprint(blueprint)
    app.url_map.add(Rule(f"{PREFIX}/<anything:path>", endpoint="no-admin"))
    app.view_functions["no-admin"] = lambda path: log_response(
        routes.refuse_unknown(request.method, f"{PREFIX}/{path}")
    )
    return routes


def deliver(mock: Mock, exchange: Exchange, connection: Connection | None) -> Response:
    """Send the reply as its delivery says; only our own server can break a connection."""
    delivery = exchange.reply.delivery
    if delivery is None:
        return to_response(exchange)
    if delivery.wait:
        connection.wait(delivery.wait) if connection else time.sleep(delivery.wait)
    if delivery.fault is None and delivery.pieces == 1:
        return to_response(exchange)
    if connection is None:
        return to_response(mock.engine.refuse(exchange.request, ApiError("fault-impossible")))
    return _ScriptedResponse(connection, script_of(exchange, delivery))


def log_response(response: Response) -> Response:
    """The response, logged: what is no matter of the API has no exchange to log."""
    request_id = response.headers.get("X-Request-Id", "-")
    log_request(request.method, request.path, response.status_code, None, 0, request_id)
    return response


def to_api_request(environ: WSGIEnvironment, received_at: float, request_id: str) -> ApiRequest:
    """The request in a WSGI environment."""
    body, size = _read_body(environ)
    return ApiRequest(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        headers={name: value for key, value in environ.items() if (name := _header_name(key))},
        body=body,
        body_size=size,
        request_id=request_id,
        received_at=received_at,
    )


def to_response(exchange: Exchange) -> Response:
    """The reply as Flask sends it."""
    return _ApiResponse(exchange.reply.body, exchange.reply.status, reply_headers(exchange))


class _ApiResponse(Response):
    """A reply whose headers go out as they are, without Werkzeug's look at each of them."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        if self.status_code in (204, 304):
            return super().get_wsgi_headers(environ)
        self.headers["Content-Length"] = str(len(self.get_data()))
        return self.headers


class _ScriptedResponse(Response):
    """Plays a script instead of an answer, when Flask is done with the request."""

    def __init__(self, connection: Connection, script: Script) -> None:
        super().__init__()
        self._connection, self._script = connection, script

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ, start_response
        self._connection.play(self._script)


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
    """Every path, with any number of parts."""

    regex = r"(?s:.*)"
    part_isolating = False


_DOCUMENT = "/openapi.json"
_API = "/-"
"""Flask's one rule for every path that is not ours: the contract documents route, not Flask."""


@lru_cache(maxsize=256)
def _header_name(key: str) -> str | None:
    """The lower-case name of the header behind a key of the environment; None when it is no header's."""
    if not key.startswith(("HTTP_", "CONTENT_")):
        return None
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
