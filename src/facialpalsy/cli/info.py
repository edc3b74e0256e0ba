"""Info: `facialpalsy info`."""

from __future__ import annotations

import json as json_module
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from facialpalsy.clinical.norms import default_norms
from facialpalsy.detect import installed_engines
from facialpalsy.errors import AssetHashError
from facialpalsy.weights import ASSETS, Asset, status

_EXTRAS = {
    "demo": ("scikit-image", "the public-domain portrait of `make demo`"),
    "synth": ("numba", "the renderer of synthetic patients"),
}
_LIBRARIES = ("numpy", "mediapipe", "av", "pillow", "pillow-heif", "pydantic")


def info(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Versions, models with their licences and hashes, healthy limits, and what an extra would add."""
    facts = _facts()
    if json:
        typer.echo(json_module.dumps(facts, indent=1))
        return
    typer.echo(f"facialpalsy {facts['version']} on Python {facts['python']}\n")
    for name, number in facts["libraries"].items():
        typer.echo(f"  {name:<14}{number or 'not installed'}")
    for model in facts["models"]:
        typer.echo(f"\nModel {model['name']} {model['version']} ({model['licence']})\n  sha256 {model['sha256']}")
        typer.echo(f"  trained on {model['trained_on']}")
        slopes = ", ".join(f"{region} {slope:g}" for region, slope in model["recovery"].items())
        typer.echo(f"  share of a known difference between the sides that it reports: {slopes}")
    typer.echo(f"\nHealthy limits {facts['norms']['name']}: {facts['norms']['source']}")
    for name, state in facts["assets"].items():
        typer.echo(f"\nAsset {name}: {state}; see `facialpalsy assets list`")
    for name, extra in facts["extras"].items():
        state = "installed" if extra["installed"] else f"not installed; pip install 'facialpalsy[{name}]' adds"
        typer.echo(f"\nExtra {name}: {state} {extra['adds']}")
    typer.echo("\nResearch and education only; not a medical device.")


def _facts() -> dict[str, Any]:
    norms = default_norms()
    return {
        "version": version("facialpalsy"),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "models": [{**vars(engine), "recovery": dict(engine.recovery)} for engine in installed_engines()],
        "norms": {"name": norms.name, "source": norms.source, "expressions": list(norms.expressions)},
        "assets": {name: _state(asset) for name, asset in ASSETS.items()},
        "extras": {
            name: {"installed": _version(package) is not None, "adds": adds}
            for name, (package, adds) in _EXTRAS.items()
        },
    }


def _state(asset: Asset) -> str:
    try:
        return "not installed" if status(asset) is None else "installed"
    except AssetHashError:
        return "damaged"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
