"""The admin API as a Flask blueprint: routes, parameters and bodies from its OpenAPI document."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from flask import Blueprint, Response, request

from mockserver.contract import not_allowed
from mockserver.errors import nearest
from mockserver.json_text import JsonTextError, parse_json
from mockserver.logs import LOGGER
from mockserver.model import ApiError
from mockserver.resources import Form, bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockserver.admin import Admin
    from mockserver.catalogue import Catalogue
    from mockserver.guard import Guard

MAX_BODY = 1024 * 1024
"""Bytes of a body that the admin API takes."""
PREFIX = "/__admin"
_METHODS = frozenset({"get", "put", "post", "delete"})


class AdminRoutes:
    """Translates between Flask and Admin, with every error in the documented form."""

    def __init__(self, admin: Admin, catalogue: Catalogue, guard: Guard, new_request_id: Callable[[], str]) -> None:
        self._admin, self._catalogue, self._guard, self._new_request_id = admin, catalogue, guard, new_request_id
        document: dict[str, Any] = read_object(bundle_root() / "schemas" / "admin.json")
        self._document = document
        self._paths: dict[str, dict[str, Any]] = document["paths"]

    def blueprint(self) -> Blueprint:
        """The blueprint; every operation of the document must have its method in Admin."""
        blueprint = Blueprint("admin", __name__)
        for path, item in self._paths.items():
            rule = re.sub(r"\{(\w+)\}", r"<\1>", path)
            for method in _METHODS & set(item):
                operation = item[method]
                view = self._view(operation, [*item.get("parameters", []), *operation.get("parameters", [])])
                blueprint.add_url_rule(
                    rule, operation["operationId"], view, methods=[method.upper()], provide_automatic_options=False
                )
        blueprint.add_url_rule(f"{PREFIX}/openapi.json", "document", self._describe, provide_automatic_options=False)
        return blueprint

    def _describe(self) -> Response:
        return self._guarded(lambda: self._send(200, self._document))

    def refuse_unknown(self, method: str, path: str) -> Response:
        """The answer to a method and path that no operation has."""
        error = self._unknown(method, path)
        return self._guarded(lambda: self._raise(error))

    def _unknown(self, method: str, path: str) -> ApiError:
        served = {known: [each.upper() for each in item if each in _METHODS] for known, item in self._paths.items()}
        served[f"{PREFIX}/openapi.json"] = ["GET"]
        for known, methods in sorted(served.items(), key=lambda each: "{" in each[0]):  # as OpenAPI orders them
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path):
                return not_allowed(method, methods)
        match = nearest(path, served)
        hint = f" Did you mean {match}?" if match else ""
        reason = f"The admin API has no {path[:200]}.{hint} {PREFIX}/openapi.json describes it."
        return ApiError("admin-not-found", {"reason": reason})

    def _view(self, operation: dict[str, Any], parameters: list[dict[str, Any]]) -> Callable[..., Response]:
        run = getattr(self._admin, re.sub(r"(?=[A-Z])", "_", operation["operationId"]).lower())
        query = {each["name"]: each for each in map(self._resolve, parameters) if each["in"] == "query"}
        schemas = {name: jsonschema_rs.Draft202012Validator(each["schema"]) for name, each in query.items()}
        form = self._form(operation) if "requestBody" in operation else None
        status = int(next(iter(operation["responses"])))

        def view(**path_parameters: str) -> Response:
            def answer() -> Response:
                keywords: dict[str, Any] = {**path_parameters, **_parse_query(query, schemas)}
                if form is not None:
                    keywords["body"] = _parse_body(form)
                return self._send(status, run(**keywords))

            return self._guarded(answer)

        return view

    def _guarded(self, answer: Callable[[], Response]) -> Response:
        try:
            given = {name.lower(): value for name, value in request.headers.items()}
            self._guard.check(given, request.remote_addr or "")
            return answer()
        except ApiError as error:
            return self._refuse(error)
        except Exception:  # noqa: BLE001  # logged, and answered in the documented form
            LOGGER.exception("the admin API failed at %s %s", request.method, request.path)
            return self._refuse(ApiError("mock-failure"))

    def _refuse(self, error: ApiError) -> Response:
        request_id = self._new_request_id()
        reply = self._catalogue.reply(error, self._catalogue.languages[0], request_id)
        headers = [("Content-Type", reply.content_type), ("X-Request-Id", request_id), *reply.headers]
        return Response(reply.body, reply.status, headers)

    def _send(self, status: int, value: object) -> Response:
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        headers = [("X-Request-Id", self._new_request_id())]
        return Response(text.encode("utf-8", "replace"), status, headers, content_type="application/json")

    def _form(self, operation: dict[str, Any]) -> Form:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        return Form.of({**schema, "components": {"schemas": self._document["components"]["schemas"]}})

    def _resolve(self, parameter: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in parameter:
            return parameter
        found: dict[str, Any] = self._document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
        return found

    @staticmethod
    def _raise(error: ApiError) -> Response:
        raise error


def _parse_query(
    parameters: Mapping[str, dict[str, Any]], schemas: Mapping[str, jsonschema_rs.Draft202012Validator]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in request.args.items():
        if name not in parameters:
            match = nearest(name, parameters)
            known = ", ".join(parameters) or "none"
            hint = f" Did you mean {match!r}?" if match else ""
            raise _bad(f"The query parameter {name!r} is not known.{hint} Known: {known}.")
        values[name] = _typed(parameters[name]["schema"].get("type"), text)
        error = next(iter(schemas[name].iter_errors(values[name])), None)
        if error is not None:
            raise _bad(f"The query parameter {name!r}: {error.message}.")
    missing = [name for name, each in parameters.items() if each.get("required") and name not in values]
    if missing:
        raise _bad(f"The query parameter {missing[0]!r} is required.")
    return values


def _typed(kind: str | None, text: str) -> object:
    """Query text as the type that its schema names; text that is none stays text, for the schema to refuse."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    return text


def _parse_body(form: Form) -> object:
    size = request.content_length or 0
    if size > MAX_BODY:
        raise ApiError("admin-too-large", {"size": size, "limit": MAX_BODY})
    try:
        value = parse_json(request.get_data())
    except JsonTextError as error:
        raise _bad(f"The body is no JSON: {error.received or error.rule}.") from None
    problem = form.problem(value)
    if problem is not None:
        raise _bad(f"The body, {problem}.")
    return _whole(value)


def _whole(value: object) -> object:
    """An object whose numbers such as 1.0, which JSON Schema takes for integers, are integers."""
    if not isinstance(value, dict):
        return value
    return {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in value.items()}


def _bad(reason: str) -> ApiError:
    return ApiError("admin-bad-request", {"reason": reason})
