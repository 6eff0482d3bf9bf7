"""The architecture: who imports whom, what the core may not know, and that no module keeps state."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import mockserver

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(mockserver.__file__).parent
LAYERS: tuple[set[str], ...] = (
    {"chance", "errors", "filtering", "fleet", "json_text", "model", "settings_table", "times", "version"},
    {"conditions", "delivery", "guard", "logs", "project_fleet", "resources", "settings", "signing"},
    {"catalogue", "documents", "fleet_files", "identity", "scenarios"},
    {"authentication", "contract", "journal", "stores"},
    {"calls", "choosing", "validation", "verification"},
    {"library", "presenting", "upgrading"},
    {"fleet_control", "listing", "pre_check"},
    {"operations"},
    {"engine"},
    {"mock"},
    {"admin", "client"},
    {"admin_routes"},
    {"app"},
    {"wire"},
    {"server"},
    {"checking", "exporting", "pointing", "running"},
    {"cli", "pytest_plugin"},
    {"__init__"},
)
"""Modules by layer, the lowest first. A module imports from lower layers only."""
TOP = {("pytest_plugin", "__init__")}
"""Users of the package's public names."""
SIDEWAYS = {("logs", "settings")}
"""What a module names in annotations from its own layer, imported for type checkers only."""
STATE = {"journal", "library", "stores"}
"""What the engine works on: state behind locks, and the scenarios of a folder."""
CORE = set[str]().union(*LAYERS[:9]) - STATE
WORLD = {
    *("flask", "werkzeug", "waitress", "click", "http.client", "http.server", "urllib.request"),
    *("asyncio", "concurrent", "multiprocessing", "queue", "signal", "subprocess", "threading"),
    *("io", "os", "select", "shutil", "socket", "tempfile"),
    *("random", "secrets", "time", "uuid"),
}
"""What a pure core can not import: the framework, files, the environment, clock, randomness and threads."""
READS_FILES = {"open", "read_bytes", "read_text", "write_bytes", "write_text"}
ASKS_THE_CLOCK = {"now", "today", "utcnow"}
CHANGES = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem"),
    *("remove", "reverse", "setdefault", "sort", "update", "__setitem__"),
}
PROCESS_WIDE = {("logs", "LOGGER")}
"""Python's loggers are one to a process; `serve` sets up ours."""


class Import(NamedTuple):
    module: str
    imported: str
    """A full name, such as `mockserver.model` or `urllib.parse`."""
    for_types: bool


@cache
def trees() -> dict[str, list[ast.Module]]:
    """The source by module; `operations` is one module, whose parts are alike."""
    found: dict[str, list[ast.Module]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(name, []).append(ast.parse(path.read_text("utf-8")))
    return found


@cache
def imports() -> list[Import]:
    return [Import(name, *found) for name, modules in trees().items() for tree in modules for found in imports_of(tree)]


def imports_of(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    guarded = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in guarded) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            whole = node.module in {"mockserver", "urllib"}
            names = [f"{node.module}.{alias.name}" for alias in node.names] if whole else [str(node.module)]
            yield from ((name, id(node) in guarded) for name in names)


def layer(module: str) -> int:
    return next(number for number, modules in enumerate(LAYERS) if module in modules)


def within_the_package() -> Iterator[tuple[str, str, bool]]:
    for module, imported, for_types in imports():
        top, _, rest = imported.partition(".")
        if top == "mockserver":
            part = rest.partition(".")[0]
            yield module, part if part in trees() else "__init__", for_types


def test_every_module_has_one_layer() -> None:
    assert sorted(name for modules in LAYERS for name in modules) == sorted(trees())


def test_the_design_shows_these_layers() -> None:
    design = (PACKAGE.parent / "docs" / "design.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", design, re.MULTILINE)
    shown = {int(number): set(re.findall(r"`(\w+)`", modules)) for number, modules in rows}
    assert shown == {number: modules for number, modules in enumerate(LAYERS) if modules != {"__init__"}}


def test_a_module_imports_from_lower_layers_only() -> None:
    pairs = {(module, other) for module, other, for_types in within_the_package() if not for_types}
    assert ("engine", "contract") in pairs
    assert {(module, other) for module, other in pairs if layer(other) >= layer(module)} == TOP


def test_annotations_name_lower_layers_or_the_neighbours_that_are_listed() -> None:
    pairs = {(module, other) for module, other, for_types in within_the_package() if for_types}
    assert {(module, other) for module, other in pairs if layer(other) >= layer(module)} == SIDEWAYS | TOP
    assert all(layer(module) == layer(other) for module, other in SIDEWAYS)


def test_the_core_does_not_know_the_world() -> None:
    def is_world(name: str) -> bool:
        return any(name == each or name.startswith(f"{each}.") for each in WORLD)

    assert any(is_world(name) for module, name, _ in imports() if module == "app")
    assert [(module, name) for module, name, _ in imports() if module in CORE and is_world(name)] == []


def test_only_one_module_of_the_core_reads_files() -> None:
    assert {module for module in CORE if attributes_called(module) & READS_FILES} == {"resources"}
    assert {
        module for module, name, for_types in imports() if module in CORE and name == "pathlib" and not for_types
    } == {"resources"}


def test_the_core_never_asks_what_time_it_is() -> None:
    assert {module: asked for module in CORE if (asked := attributes_called(module) & ASKS_THE_CLOCK)} == {}


def attributes_called(module: str) -> set[str]:
    calls = [node for tree in trees()[module] for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
        for call in calls
        if isinstance(call.func, (ast.Attribute, ast.Name))
    }


def test_no_module_keeps_state() -> None:
    """Two servers can run in one process, so nothing at the top of a module ever changes."""
    changed = {
        (module, name)
        for module, modules in trees().items()
        for tree in modules
        for name in changed_names(tree) & names_at_the_top(tree)
    }
    assert changed == PROCESS_WIDE


def names_at_the_top(tree: ast.Module) -> set[str]:
    targets = [
        target
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def changed_names(tree: ast.Module) -> set[str]:
    """Names that are declared global, or whose object is changed through the name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.update(name_of(node.value))
        elif isinstance(node, ast.AugAssign):
            found.update(name_of(node.target))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            found.update(name_of(node.func.value))
    return found


def name_of(node: ast.expr) -> list[str]:
    return [node.id] if isinstance(node, ast.Name) else []
