"""`taurus-mock export`: the contract documents as files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mockserver.errors import TaurusMockError


@click.command()
@click.argument("what", type=click.Choice(["openapi", "schemas"]))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
def export(what: str, folder: Path, *, force: bool) -> None:
    """Write the contract documents to FOLDER: one OpenAPI document, or the schemas file by file."""
    from mockserver.documents import bundle, schema_files

    if what == "openapi":
        files = {"openapi.json": json.dumps(bundle(), indent=2, ensure_ascii=False) + "\n"}
    else:
        files = {name: path.read_text("utf-8") for name, path in schema_files().items()}
    _write_all(folder, files, force=force)
    click.echo(f"wrote {len(files)} {'file' if len(files) == 1 else 'files'} to {folder}")


def _write_all(folder: Path, files: dict[str, str], *, force: bool) -> None:
    """Write every file, or none when one is there already with other content."""
    try:
        for name, text in files.items():
            path = folder / name
            if not force and path.exists() and path.read_bytes() != text.encode():
                raise TaurusMockError(f"{path} exists and differs; nothing was written. Use --force to overwrite")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise TaurusMockError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
