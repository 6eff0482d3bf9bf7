"""Terraform and the vendor's provider, built from the modules that their makers publish, unmodified.

`python build.py` prints what `tools()` gives as JSON: where Terraform is, and the folder that its configuration
takes as a mirror. What is there is not built again; the first time takes some minutes. A name tells what it holds,
so a new version here is a new file there. `python build.py --is-built` ends with 0 where all of it is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The last version under an open-source licence. The newest ones cannot be built from their modules alone, either: their
# go.mod replaces modules by folders that are not part of it.
TERRAFORM = ("github.com/hashicorp/terraform", "1.5.7")
# The first version with huaweicloud_taurusdb_instance_database_batch_upgrade.
PROVIDER = ("github.com/huaweicloud/terraform-provider-huaweicloud", "1.95.0")
# A host that nobody has: where nothing but the build at hand can be meant, Terraform looks nowhere else.
PROVIDER_SOURCE = "terraform.example/huaweicloud/huaweicloud"
MIRROR = "mirror"
BUILD_SECONDS = 3600


class BuildError(Exception):
    """Something that is needed could not be built; the message has the command and what it said."""


@dataclass(frozen=True)
class Tools:
    """What was built."""

    terraform: str
    """The path of the command."""
    mirror: str
    """The folder with the provider, in the form of `filesystem_mirror`."""


def tools(go: str) -> Tools:
    """Both, built with this `go` unless they are there; raises BuildError."""
    terraform, provider = targets(go)
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"):
        ensure(go, *TERRAFORM, terraform)
        ensure(go, *PROVIDER, provider)
    return Tools(str(terraform), str(folder / MIRROR))


def targets(go: str) -> tuple[Path, Path]:
    """The files that Terraform and the provider are built into."""
    folder = cache_folder()
    system, machine, suffix = run(go, "env", "GOOS", "GOARCH", "GOEXE").split("\n")[:3]
    provider = folder / MIRROR / PROVIDER_SOURCE / PROVIDER[1] / f"{system}_{machine}"
    return (
        folder / f"terraform_v{TERRAFORM[1]}_{system}_{machine}{suffix}",
        provider / f"terraform-provider-huaweicloud_v{PROVIDER[1]}{suffix}",
    )


def cache_folder() -> Path:
    """Where it all stays: outside the checkout, so that it survives a fresh one."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "taurus-mock" / "terraform"


def ensure(go: str, module: str, version: str, target: Path) -> None:
    """Build a module's command into a file, unless it is there."""
    if target.exists():
        return
    tell(f"building {module} {version}, once: this takes minutes")
    source = json.loads(run(go, "mod", "download", "-json", f"{module}@v{version}", cwd=cache_folder()))["Dir"]
    # Built elsewhere and moved into place, so that a build cut short is not taken for a whole one.
    with tempfile.TemporaryDirectory(dir=cache_folder()) as unfinished:
        made = Path(unfinished) / target.name
        # In the module's own folder its go.mod and go.sum count, replacements included, as in a release of its makers.
        # Two packages at a time need about a gigabyte of memory.
        flags = ["-p", "2", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w"]
        run(go, "build", *flags, "-o", str(made), ".", cwd=Path(source))
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
    tell(f"built {target}")


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints; raises BuildError when it fails."""
    # Neither needs C, and with it each machine's libraries would decide.
    environment = {**os.environ, "CGO_ENABLED": "0"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(command)} took longer than {BUILD_SECONDS} seconds") from error
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let other processes wait: parallel test runs would build the same at the same time."""
    try:
        import fcntl  # noqa: PLC0415  # Windows has none
    except ImportError:
        yield
        return
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, however the process ends
        yield


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    go = shutil.which("go")
    if go is None:
        tell("Go is needed to build Terraform and its provider, and no `go` is on the PATH")
        return 1
    if sys.argv[1:] == ["--is-built"]:
        return 0 if all(target.exists() for target in targets(go)) else 1
    try:
        made = tools(go)
    except BuildError as error:
        tell(str(error))
        return 1
    print(json.dumps({"terraform": made.terraform, "mirror": made.mirror}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
