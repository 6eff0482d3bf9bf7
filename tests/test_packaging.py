"""The distribution: what is in it, and that it works where there is no checkout."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import send
from test_house_style import ROOT, is_made, project_files
from test_layers import imports
from test_layers_of_the_suite import imports as imports_of_the_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

HANG = 120
"""Seconds after which a child process that hangs is ended."""
BUILD = "import sys, hatchling.build as backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"


class Artifacts(NamedTuple):
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def run(*command: str | Path, cwd: Path) -> str:
    """What a child process prints; none of the caller's settings reach it."""
    foreign = ("PYTHON", "PIP_", "TAURUS_MOCK_", "COV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build as any front end does, without the network: with the backend of the running environment."""
    return folder / run(sys.executable, "-c", BUILD, f"build_{kind}", folder, cwd=source).splitlines()[-1]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    folder = tmp_path_factory.mktemp("artifacts")
    sdist = build("sdist", ROOT, folder)
    with tarfile.open(sdist) as archive:
        # Newer versions of Python ask which filter to use, older ones know of none.
        archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        archive.extractall(folder)  # noqa: S202  # our own archive
    (folder / "again").mkdir()
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    return Artifacts(sdist, build("wheel", ROOT, folder), build("wheel", unpacked, folder / "again"))


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def normal(name: str) -> str:
    """The name of a distribution in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


# What is in it


def test_the_wheel_installs_one_import_name(artifacts: Artifacts) -> None:
    with zipfile.ZipFile(artifacts.wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops == {"mockserver", f"taurus_mock-{metadata(artifacts.wheel)['Version']}.dist-info"}


def test_the_wheel_holds_the_files_of_the_project_byte_for_byte(artifacts: Artifacts) -> None:
    """Data files that git does not know, such as notes, are told from ours, since force-include takes every file."""
    code = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in project_files("mockserver")}
    data = {
        f"mockserver/_bundled/{path.relative_to(ROOT).as_posix()}": path.read_bytes()
        for path in project_files("schemas", "fixtures", "contract_tests", "tests/implementations")
    }
    assert "mockserver/_bundled/fixtures/errors.json" in data
    with zipfile.ZipFile(artifacts.wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name.startswith("mockserver/")}
    assert held == {**code, **data}


def test_the_sdist_holds_every_file_that_is_not_about_the_repository(artifacts: Artifacts) -> None:
    with tarfile.open(artifacts.sdist) as archive:
        held = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    files = {path.relative_to(ROOT) for path in project_files()}
    ours = {path.as_posix() for path in files if not is_made(path)}
    assert held - {"PKG-INFO", ".gitignore"} == ours - {"PKG-INFO"}


def test_the_sdist_builds_the_same_wheel(artifacts: Artifacts) -> None:
    def contents(path: Path) -> dict[str, int]:
        with zipfile.ZipFile(path) as archive:
            return {each.filename: each.CRC for each in archive.infolist()}

    assert artifacts.wheel.name == artifacts.wheel_of_sdist.name
    assert contents(artifacts.wheel) == contents(artifacts.wheel_of_sdist)


def test_the_metadata_say_what_an_index_needs(artifacts: Artifacts) -> None:
    found = metadata(artifacts.wheel)
    assert (found["Name"], found["Requires-Python"]) == ("taurus-mock", ">=3.10")
    assert found["Description-Content-Type"] == "text/markdown"
    assert str(found.get_payload()).startswith("# Taurus Mock")


def test_dependencies_are_exactly_what_the_package_imports(artifacts: Artifacts) -> None:
    """Each of them is imported by the name under which it is distributed."""
    lines = metadata(artifacts.wheel).get_all("Requires-Dist", [])
    declared = {normal(re.split(r"[^\w.-]", line)[0]) for line in lines if "extra ==" not in line}
    mock = {each.imported for each in imports() if not each.for_types}
    suite = {name for names in imports_of_the_suite().values() for name, for_types in names if not for_types}
    imported = {name.partition(".")[0] for name in mock | suite}
    foreign = imported - {"mockserver", "contract_tests", *sys.stdlib_module_names}
    assert {normal(name) for name in foreign} == declared


# That it works


class Installed(NamedTuple):
    python: Path
    command: Path
    elsewhere: Path
    """A folder that has nothing to do with the checkout."""


@pytest.fixture(scope="module")
def installed(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own, which borrows the dependencies of the running one: no network."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=elsewhere)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "--isolated", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", artifacts.wheel, cwd=elsewhere)
    # After pip, which would look there for what is installed already. A .pth file of such a folder, as an editable
    # install leaves one, is not read.
    site_packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=elsewhere).strip()
    )
    paths = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (site_packages / "borrowed.pth").write_text("\n".join(paths))
    return Installed(python, scripts / "taurus-mock", elsewhere)


def test_the_installed_package_is_the_one_of_the_wheel(installed: Installed) -> None:
    program = "import mockserver, mockserver.resources as r; print(mockserver.__file__); print(r.bundle_root())"
    module, root = run(installed.python, "-c", program, cwd=installed.elsewhere).splitlines()
    package = Path(module).parent
    assert Path(module).is_relative_to(installed.python.parents[1])
    assert Path(root) == package / "_bundled"


def test_the_installed_command_serves(installed: Installed) -> None:
    with serving(installed) as url:
        reply = send(url)
    assert (reply.status, reply.body) == (200, b'{"resp":"success"}')


@contextmanager
def serving(installed: Installed) -> Iterator[str]:
    """The URL of a mock that the installed command serves."""
    command = (installed.command, "serve", "--port", "0")
    process = subprocess.Popen(
        command, cwd=installed.elsewhere, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    guard = threading.Timer(HANG, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if line.startswith("ready "):
                break
        match = re.search(r"^ready url=(\S+)", "".join(printed), re.MULTILINE)
        assert match, printed
        yield match.group(1)
    finally:
        process.terminate()
        process.communicate()
        guard.cancel()


def test_the_installed_command_exports_the_schemas(installed: Installed, tmp_path: Path) -> None:
    run(installed.command, "export", "schemas", tmp_path / "schemas", cwd=installed.elsewhere)
    exported = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
    ours = {path.relative_to(ROOT): path.read_bytes() for path in project_files("schemas") if path.suffix == ".json"}
    assert exported == ours


def test_the_installed_command_lists_the_scenarios_and_its_version(installed: Installed, artifacts: Artifacts) -> None:
    listed = run(installed.command, "scenarios", cwd=installed.elsewhere)
    assert [path.stem for path in project_files("fixtures/scenarios") if f"\n{path.stem} " not in listed] == []
    version = run(installed.command, "--version", cwd=installed.elsewhere)
    assert version == f"taurus-mock {metadata(artifacts.wheel)['Version']}\n"


def test_the_installed_command_checks_the_mock_and_leaves_no_file(installed: Installed) -> None:
    before = sorted(installed.elsewhere.rglob("*"))
    printed = run(installed.command, "check", "--max-examples", "1", cwd=installed.elsewhere)
    assert printed.endswith(": the contract is kept\n")
    assert sorted(installed.elsewhere.rglob("*")) == before
