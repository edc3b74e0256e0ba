"""Assets: `facialpalsy assets list`, `facialpalsy assets install NAME --from PATH`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from facialpalsy.errors import AssetHashError, UsageError
from facialpalsy.weights import ASSETS, Asset, Installed, find_asset, find_entry, install_copy, install_file, status

app = typer.Typer(help="Face model and optional landmark files.", no_args_is_help=True)


@app.callback()
def _assets() -> None:
    """What other people made, and is installed separately: the face model, an optional landmark engine."""


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """What can be installed: what for, licence, size, hash, and where it is."""
    if json:
        typer.echo(json_module.dumps([_facts(asset) for asset in ASSETS.values()], indent=1))
        return
    for number, asset in enumerate(ASSETS.values()):
        typer.echo("\n" * bool(number) + _description(asset))
        typer.echo(f"  installed  {_where(_facts(asset))}")


@app.command("install")
def install(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `assets list`.")],
    given: Annotated[
        Path | None, typer.Option("--from", metavar="PATH", help="The archive, folder or file that you downloaded.")
    ] = None,
) -> None:
    """Check and store what you downloaded; nothing is fetched."""
    asset = find_entry(name)
    if given is None:
        raise UsageError(
            f"--from is missing: nothing is downloaded here. Get the {asset.title} ({asset.licence}) from "
            f"{asset.source}, then give {asset.accepts}: `{asset.command}`."
        )
    typer.echo(_description(asset), err=True)
    stored = _install(asset, given)
    typer.echo(f"{stored.path.name} in {stored.folder}: {stored.size:,} bytes, sha256 {stored.sha256}.", err=True)
    if find_asset(name) != stored.path:
        typer.echo(f"The one in {_facts(asset)['installed']['folder']} comes first and is used.", err=True)


def _install(asset: Asset, given: Path) -> Installed:
    if not asset.contents:
        return install_copy(asset, given)
    # Imported here: NumPy and SciPy would slow the start of every other command.
    from facialpalsy.synth.ict_archive import read_face_model, write_face_model

    arrays = read_face_model(given)
    return install_file(asset, lambda path: write_face_model(path, arrays), given.name)


def _description(asset: Asset) -> str:
    lines = [
        f"{asset.name}: {asset.title}, for {asset.purpose}",
        f"  licence    {asset.licence}, {asset.copyright}",
        f"  source     {asset.source}",
        f"  give       {asset.accepts}",
        f"  file       {asset.file}, {asset.size:,} bytes",
        f"  sha256     {asset.sha256}",
    ]
    if asset.contents:
        lines.append(f"             or the same {len(asset.contents)} arrays in it, each known by its own sha256")
    return "\n".join(lines)


def _where(facts: dict[str, Any]) -> str:
    if facts["fault"]:
        return f"no: {facts['fault']}"
    if facts["installed"] is None:
        return f"no: run `{ASSETS[facts['name']].command}`"
    return f"in {facts['installed']['folder']}, sha256 {facts['installed']['sha256']}"


def _facts(asset: Asset) -> dict[str, Any]:
    """The catalogue's entry, where it is installed, or what is wrong with the file that is there."""
    names = ("name", "title", "purpose", "licence", "copyright", "source", "accepts", "file", "size", "sha256")
    facts: dict[str, Any] = {name: getattr(asset, name) for name in names}
    facts |= {"contents": dict(asset.contents), "installed": None, "fault": None}
    try:
        found = status(asset)
    except AssetHashError as error:
        return {**facts, "fault": str(error)}
    if found is not None:
        facts["installed"] = {"folder": found.folder, "size": found.size, "sha256": found.sha256}
    return facts
