"""What stands beside the mock: `peers.py NAME PORT_FILE` serves one peer and writes the port that it took."""
# ruff: noqa: PLC0415  # each peer imports what it needs, since its start is measured

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from samples import PATH, ROUTE, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

FLASK_ROUTE = ROUTE.replace("{", "<").replace("}", ">")
INSTANCE = {
    "type": "object",
    "required": ["current_version", "instance_id"],
    "properties": {"current_version": {"type": "string"}, "instance_id": {"type": "string"}},
}
REQUEST = {
    "type": "object",
    "required": ["databases_instance_infos", "delay"],
    "properties": {
        "databases_instance_infos": {"type": "array", "items": INSTANCE},
        "delay": {"enum": [True, False, "true", "false"]},
    },
}
OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "upgrade", "version": "1"},
    "paths": {
        ROUTE: {
            "post": {
                "operationId": "upgrade",
                "parameters": [{"name": "project_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"required": True, "content": {"application/json": {"schema": REQUEST}}},
                "responses": {"200": {"description": "accepted"}},
            }
        }
    },
}


def constant_app() -> Flask:
    """The least that Flask can do: a view that looks at nothing and returns constant bytes."""
    from flask import Flask

    app = Flask("constant")

    @app.post(FLASK_ROUTE)
    def upgrade(project_id: str) -> bytes:
        del project_id
        return SUCCESS

    return app


def validating_app() -> Flask:
    """The endpoint as one writes it by hand: Flask and jsonschema, its validator built once."""
    from flask import Flask, Response, jsonify, request
    from jsonschema import Draft202012Validator

    app = Flask("validating")
    validator = Draft202012Validator(REQUEST)

    @app.post(FLASK_ROUTE)
    def upgrade(project_id: str) -> tuple[Response, int]:
        del project_id
        error = next(validator.iter_errors(request.get_json()), None)
        if error is not None:
            return jsonify(error_code="DBS.200001", error_msg=error.message), 400
        return jsonify(resp="success"), 200

    return app


def _on_waitress(app: Flask, port_file: str) -> None:
    import logging

    from waitress.server import create_server

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else it warns of every request that queues
    server = create_server(app, host="127.0.0.1", port=0)
    _write(port_file, server.effective_port)
    server.run()


def _on_werkzeug(app: Flask, port_file: str) -> None:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    _write(port_file, server.port)
    server.serve_forever()


def _connexion(port_file: str) -> None:
    import socket

    import uvicorn
    from connexion import AsyncApp
    from connexion.resolver import Resolver

    async def upgrade(project_id: str, body: object) -> dict[str, str]:
        del project_id, body
        return {"resp": "success"}

    app = AsyncApp("connexion")
    app.add_api(OPENAPI, resolver=Resolver(lambda _: upgrade))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    _write(port_file, listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listener])


def _pytest_httpserver(port_file: str) -> None:
    import threading

    from pytest_httpserver import HTTPServer

    server = HTTPServer("127.0.0.1", 0)
    server.expect_request(PATH, method="POST").respond_with_data(SUCCESS, content_type="application/json")
    server.start()
    _write(port_file, server.port)
    threading.Event().wait()


def _write(port_file: str, port: int) -> None:
    with open(port_file, "w", encoding="ascii") as file:  # noqa: PTH123  # as cheap as it gets
        file.write(f"{port}\n")


SERVE: dict[str, Callable[[str], None]] = {
    "constant-waitress": lambda port_file: _on_waitress(constant_app(), port_file),
    "constant-werkzeug": lambda port_file: _on_werkzeug(constant_app(), port_file),
    "validating-waitress": lambda port_file: _on_waitress(validating_app(), port_file),
    "connexion": _connexion,
    "pytest-httpserver": _pytest_httpserver,
}

if __name__ == "__main__":
    SERVE[sys.argv[1]](sys.argv[2])
