"""The only reader of files: where it looks, and what it says about a document that it can not use."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from mockserver.errors import ResourceError
from mockserver.resources import bundle_root, read_json, read_object

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = "fixtures/scenarios/throttled.json"


def copy_documents(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of every document, which the mock reads instead of its own until the test ends."""
    for name in ("schemas", "fixtures"):
        shutil.copytree(bundle_root() / name, folder / name)
    monkeypatch.setattr("mockserver.resources._PACKAGE", folder / "mockserver")
    return folder


def edit(path: Path, pointer: str, value: object) -> None:
    """Put `value` at a JSON pointer of a document."""
    document = json.loads(path.read_text("utf-8"))
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    node = document
    for part in parents:
        node = node[int(part) if isinstance(node, list) else part]
    node[last] = value
    path.write_text(json.dumps(document), "utf-8")


def test_documents_are_found_in_a_checkout_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mockserver"
    monkeypatch.setattr("mockserver.resources._PACKAGE", package)
    assert bundle_root() == tmp_path
    (package / "_bundled").mkdir(parents=True)
    assert bundle_root() == package / "_bundled"


def test_the_documents_are_there() -> None:
    assert (bundle_root() / "schemas" / "openapi.json").is_file()
    assert (bundle_root() / "fixtures" / "errors.json").is_file()


def test_text_is_read_as_utf_8_whatever_the_machine_prefers(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_bytes('{"text": "参数错误"}'.encode())
    assert read_object(path) == {"text": "参数错误"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, f": cannot be read: {os.strerror(errno.ENOENT)}"),
        (b'{"a": "\xff"}', ": is not UTF-8 text at byte 7"),
        (b'{\n  "a": nope\n}', ":2:8: is not JSON: Expecting value"),
        (b"", ":1:1: is not JSON: Expecting value"),
        (b"[1]", ": expected a JSON object"),
    ],
    ids=["missing", "not-utf-8", "not-json", "empty", "no-object"],
)
def test_an_unusable_file_is_named_with_the_place_in_it(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "document.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResourceError) as caught:
        read_object(path)
    assert str(caught.value) == f"{path}{message}"


def test_any_json_value_can_be_read_where_no_object_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_text("[1, null]")
    assert read_json(path) == [1, None]


@pytest.mark.parametrize(
    ("pointer", "value", "place", "hint"),
    [
        ("/sumary", "x", "at the top: ", "('sumary' is perhaps 'summary')"),
        ("/answer/headres", {}, "at /answer: ", "('headres' is perhaps 'headers')"),
        ("/zzzz", 1, "at the top: ", "'zzzz'"),
        ("/summary", "", "at /summary: ", '""'),
        ("/answer/headers/Retry-After", 1, "at /answer/headers/Retry-After: ", '"string"'),
        ("/level", "rumour", "at /level: ", '"stated"'),
    ],
    ids=["unknown-key", "unknown-key-inside", "nothing-near", "too-short", "wrong-type", "no-choice"],
)
def test_a_document_that_breaks_its_schema_is_refused_with_place_and_hint(  # two fixtures
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pointer: str, value: object, place: str, hint: str
) -> None:
    path = copy_documents(tmp_path, monkeypatch) / SCENARIO
    edit(path, pointer, value)
    with pytest.raises(ResourceError) as caught:
        read_object(path, schema="scenario")
    assert str(caught.value).startswith(f"{path}: {place}")
    assert hint in str(caught.value)


def test_every_unknown_key_gets_its_nearest_neighbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / SCENARIO
    for pointer in ("/sumary", "/zzzz", "/levl"):
        edit(path, pointer, "x")
    with pytest.raises(ResourceError) as caught:
        read_object(path, schema="scenario")
    assert "'sumary' is perhaps 'summary'" in str(caught.value)
    assert "'levl' is perhaps 'level'" in str(caught.value)
    assert "'zzzz' is perhaps" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_text('{"name": "x", "level": "mock", "source": ["mock"]}')
    with pytest.raises(ResourceError) as caught:
        read_object(path, schema="scenario")
    assert str(caught.value) == f'{path}: at the top: "summary" is a required property'


def test_the_place_of_a_fault_is_an_escaped_json_pointer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "errors.json"
    edit(path, "/words/a~1b~0c", "no text by language")
    with pytest.raises(ResourceError, match=r"errors\.json: at /words/a~1b~0c: "):
        read_object(path, schema="errors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, f"scenario.schema.json: cannot be read: {os.strerror(errno.ENOENT)}"),
        (b"[]", "schemas/data/scenario.schema.json: expected a JSON object"),
    ],
    ids=["missing", "no-object"],
)
def test_an_unusable_schema_is_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    root = copy_documents(tmp_path, monkeypatch)
    schema = root / "schemas" / "data" / "scenario.schema.json"
    schema.unlink()
    if content is not None:
        schema.write_bytes(content)
    with pytest.raises(ResourceError) as caught:
        read_object(root / SCENARIO, schema="scenario")
    assert str(caught.value).endswith(message)
