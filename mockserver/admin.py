"""What the mock offers beside the API: the contract that it enforces, and its own state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.engine import Engine
    from mockserver.settings import Settings


def create_admin(settings: Settings, engine: Engine, new_request_id: Callable[[], str]) -> Blueprint:
    """The routes `/openapi.json` and `/__admin/health`."""
    admin = Blueprint("admin", __name__)

    @admin.get("/openapi.json")
    def openapi() -> Response:
        """The OpenAPI 3.1 document that the mock enforces, as its settings narrow it."""
        return _json(engine.contract.document)

    @admin.get("/__admin/health")
    def health() -> Response:
        """Says that the mock is ready, and what it is."""
        return _json({"status": "ready", "version": version(), "scenario": settings.scenario})

    @admin.after_request
    def identify(response: Response) -> Response:
        response.headers["X-Request-Id"] = new_request_id()
        return response

    return admin


def _json(value: object) -> Response:
    return Response(json.dumps(value, indent=2, ensure_ascii=False) + "\n", content_type="application/json")
