"""Info: `facialpalsy info`."""

from __future__ import annotations

import json as json_module
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from facialpalsy.clinical.norms import default_norms
from facialpalsy.detect import installed_engines
from facialpalsy.errors import AssetHashError, AssetNotInstalledError
from facialpalsy.weights import ASSETS, SHIPPED, Asset, find_card, status

_EXTRAS = {
    "demo": ("scikit-image", "the public-domain portrait of `make demo`"),
    "dlib": ("dlib", "the library of an optional landmark engine"),
    "mediapipe": ("mediapipe", "the library of two optional landmark engines"),
    "synth": ("numba", "the renderer of synthetic patients"),
    "train": ("torch", "training, evaluation and explanation of networks"),
}
_LIBRARIES = ("numpy", "mediapipe", "onnxruntime", "av", "pillow", "pillow-heif", "pydantic")
_OF_A_CARD = {"name", "version", "task", "licence", "sha256", "trained_on", "caution"}


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
    for network in facts["networks"]:
        typer.echo(f"\nNetwork {network['name']} {network['version']} ({network['licence']})")
        typer.echo(f"  sha256 {network['sha256']}\n  {network['task']}; {network['caution']}")
        typer.echo(f"  trained on {network['trained_on']}")
    for fault in facts["faults"]:
        typer.echo(f"\n{fault}")
    typer.echo(f"\nHealthy limits {facts['norms']['name']}: {facts['norms']['source']}")
    for name, state in facts["assets"].items():
        typer.echo(f"\nAsset {name}: {state}; see `facialpalsy assets list`")
    for name, extra in facts["extras"].items():
        state = "installed" if extra["installed"] else f"not installed; pip install 'facialpalsy[{name}]' adds"
        typer.echo(f"\nExtra {name}: {state} {extra['adds']}")
    typer.echo("\nResearch and education only; not a medical device.")


def _facts() -> dict[str, Any]:
    norms = default_norms()
    networks, faults = _networks()
    return {
        "version": version("facialpalsy"),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "models": [{**vars(engine), "recovery": dict(engine.recovery)} for engine in installed_engines()],
        "networks": networks,
        "faults": faults,
        "norms": {"name": norms.name, "source": norms.source, "expressions": list(norms.expressions)},
        "assets": {name: _state(asset) for name, asset in ASSETS.items()},
        "extras": {
            name: {"installed": _version(package) is not None, "adds": adds}
            for name, (package, adds) in _EXTRAS.items()
        },
    }


def _networks() -> tuple[list[dict[str, Any]], list[str]]:
    """The networks that come with this copy, and what is wrong with those that cannot be used."""
    found, faults = [], []
    for name in SHIPPED:
        try:
            found.append(find_card(name).model_dump(include=_OF_A_CARD))
        except AssetNotInstalledError:
            continue
        except AssetHashError as error:
            faults.append(str(error))
    return found, faults


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
