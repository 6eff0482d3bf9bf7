"""Errors as replies: status, code and text in the asked language, all from `fixtures/errors.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from mockserver.errors import ResourceError
from mockserver.model import ApiError, Reply, Violation, json_bytes
from mockserver.resources import bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mockserver.model import ApiRequest

MAX_VIOLATIONS_HEADER = 4096
"""Bytes of X-Mock-Violations."""
_MAX_SHOWN = 80
"""Characters of a received value that a text shows."""

_MAX_SENT = 200
"""Characters of a path, name or pointer that a text shows."""
_SENT = frozenset({"access_key", "header", "method", "path"})
"""Values that the client can make as long as it likes."""

Text = dict[str, str]
"""A text by language."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every error and every text."""

    languages: tuple[str, ...]
    errors: Mapping[str, Mapping[str, object]]
    violations: Mapping[str, Mapping[str, object]]
    joining: Mapping[str, Text]
    words: Mapping[str, Text]

    def language(self, request: ApiRequest) -> str:
        """The language that X-Language asks for; the default for one that the API does not have."""
        asked = request.headers.get("x-language", "").strip().lower()
        return asked if asked in self.languages else self.languages[0]

    def reply(self, error: ApiError, language: str, request_id: str, *, identity: bool = False) -> Reply:
        """The documented error reply for `error`; `identity` gives it the form of the identity service."""
        name, parameters, headers = error.name, error.parameters, error.headers
        if error.violations:
            name = str(self._text_entry(error.violations[0]).get("error", error.name))
            parameters = {"reason": self._reason(error.violations, language)}
            headers = (*headers, ("X-Mock-Violations", violations_header(error.violations)))
        entry = self.errors[name]
        shown = {key: _cut(str(value), _MAX_SENT) if key in _SENT else value for key, value in parameters.items()}
        message = _text(entry)[language].format(**{"request_id": request_id, **shown})
        if error.about:
            names = ", ".join(_cut(each, _MAX_SENT) for each in error.about)
            message = self.joining["about"][language].format(text=message, about=names)
        return Reply(
            int(str(entry["status"])), json_bytes(_form(entry, message, request_id, identity=identity)), headers
        )

    def is_about_instances(self, error: str) -> bool:
        """Whether the text of an error ends with the instances that it is about."""
        return self.errors[error].get("about") == "instances"

    def describe(self, violation: Violation, language: str) -> str:
        """One violation in plain words, without its place."""
        expected = violation.expected
        if violation.rule == "type":
            expected = self._words(expected, language)
        elif isinstance(expected, list):
            expected = ", ".join(map(_shown, expected))
        # Numbers of items or bytes stand as they are, values of the request as JSON.
        received = violation.received if violation.rule in _COUNTING else _shown(violation.received)
        return _text(self._text_entry(violation))[language].format(expected=expected, received=received)

    def _reason(self, violations: Sequence[Violation], language: str) -> str:
        first, more = violations[0], len(violations) - 1
        place = self.joining[first.location][language].format(place=first.pointer.removeprefix("/"))
        if first.location == "body" and first.pointer:
            place = _cut(first.pointer, _MAX_SENT)
        sentence = self.joining["more" if more else "one"][language]
        return sentence.format(place=place, text=self.describe(first, language), count=more)

    def _text_entry(self, violation: Violation) -> Mapping[str, object]:
        return self.violations.get(violation.clause) or self.violations[violation.rule]

    def _words(self, types: object, language: str) -> str:
        names = types if isinstance(types, list) else [types]
        return " / ".join(self.words[str(name)][language] for name in names)


_COUNTING = frozenset({"minItems", "maxItems", "encoding", "syntax"})


def _form(entry: Mapping[str, object], message: str, request_id: str, *, identity: bool) -> dict[str, object]:
    """The body of an error: of the gateway, of the database service, or of the identity service behind the gateway."""
    if entry.get("request_id"):
        return {"error_code": entry["code"], "error_msg": message, "request_id": request_id}
    if identity or "code" not in entry:
        status = int(str(entry["status"]))
        return {"error": {"code": status, "message": message, "title": HTTPStatus(status).phrase}}
    return {"error_code": entry["code"], "error_msg": message}


def load_catalogue() -> Catalogue:
    """The bundled catalogue; raises ResourceError for a text that refers to an unknown error."""
    path = bundle_root() / "fixtures" / "errors.json"
    document: dict[str, Any] = read_object(path, schema="errors")
    catalogue = Catalogue(
        languages=tuple(document["languages"]),
        errors=document["errors"],
        violations=document["violations"],
        joining=document["joining"],
        words=document["words"],
    )
    for clause, entry in catalogue.violations.items():
        if entry.get("error", "bad-request") not in catalogue.errors:
            raise ResourceError(f"{path}: at /violations/{clause}/error: no error is named {entry['error']!r}")
    return catalogue


def violations_header(violations: Sequence[Violation]) -> str:
    """The violations as ASCII JSON of at most 4096 bytes; `total` counts those left out as well."""
    rows: list[str] = []
    frame = f'{{"total": {len(violations)}, "violations": []}}'
    left = MAX_VIOLATIONS_HEADER - len(frame)
    for violation in violations:
        row = json.dumps(
            {
                "in": violation.location,
                "pointer": violation.pointer,
                "rule": violation.rule,
                "clause": violation.clause,
            }
        )
        left -= len(row) + 2
        if left < 0:
            break
        rows.append(row)
    return frame.replace("[]", f"[{', '.join(rows)}]")


def _shown(value: object) -> str:
    """A value as JSON, cut when long; no more of it is looked at than is shown."""
    text = ""
    for chunk in _ENCODER.iterencode(value[:_MAX_SHOWN] if isinstance(value, str) else value):
        text += chunk
        if len(text) > _MAX_SHOWN:
            break
    return _cut(text, _MAX_SHOWN)


_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _text(entry: Mapping[str, object]) -> Text:
    return cast("Text", entry["text"])
