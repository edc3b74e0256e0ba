"""Checkpoint: weights of a network in one safetensors file, with the configuration that they belong to.

The file's metadata hold `schema`, which names the kind of network, its configuration as JSON (`spec`) and what is said
about the training (`about`), so the network is built from the file alone and the weights fit it to the last name. A
`.pth` or `.pt` file of the published HTNet is read without running anything that it holds; none is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError, UsageError
from facialpalsy.models.foreign import read_foreign
from facialpalsy.models.htnet import HTNet
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.spec import NetworkSpec
from facialpalsy.models.weight_names import differences, shapes_of
from facialpalsy.writing import atomic_path

Spec = TypeVar("Spec", bound=NetworkSpec)

SUFFIX = ".safetensors"
FOREIGN = (".pth", ".pt")

_OURS = "facialpalsy."


@dataclass(frozen=True)
class Loaded(Generic[Spec]):
    """A network and what its file says of it.

    Attributes:
        network: Ready to be asked: in evaluation mode, on the CPU.
        spec: Its configuration.
        about: What was said about its training.
    """

    network: Any
    spec: Spec
    about: Mapping[str, Any]


def save_checkpoint(path: Path, network: nn.Module, spec: NetworkSpec, about: Mapping[str, Any]) -> None:
    """Write the weights of `network` to `path`, whole or not at all.

    Args:
        path: A `.safetensors` file.
        network: Built by `spec`.
        spec: Its configuration.
        about: What is to be known of its training, as JSON can hold it.

    Raises:
        UsageError: `path` has another suffix.
        OutputError: the file cannot be written.
    """
    if path.suffix != SUFFIX:
        raise UsageError(f"Weights are written as {SUFFIX}, not {path.name!r}; give a name with that ending.")
    metadata = {"schema": spec.SCHEMA, "spec": json.dumps(spec.to_dict()), "about": json.dumps(dict(about))}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(state, metadata))


def find_checkpoint(path: Path) -> Path:
    """The `.safetensors` file beside the name of a `.pth` or `.pt` file, or else `path` itself.

    Raises:
        CheckpointError: there is neither.
    """
    ours = path.with_suffix(SUFFIX) if path.suffix in FOREIGN else path
    for one in (ours, path):
        if one.is_file():
            return one
    folder = path if path.is_dir() else path.parent
    there = sorted(one.name for one in folder.glob(f"*{SUFFIX}"))
    names = " or ".join(dict.fromkeys((path.name, ours.name)))
    wrong = f"{path.name!r} is a folder" if path.is_dir() else f"There are no weights {names} in {folder.name or '.'!r}"
    raise CheckpointError(f"{wrong}. Give one of its files: {', '.join(there) if there else 'there is none'}.")


def kind_of(path: Path) -> str | None:
    """Which kind of network a file of this package holds, as `grader`; None for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            schema = (file.metadata() or {}).get("schema", "")
    except (SafetensorError, OSError):
        return None
    return _whose(schema) if schema.startswith(_OURS) else None


def load_checkpoint(path: Path, kind: type[Spec], stated: Mapping[str, Any] = MappingProxyType({})) -> Loaded[Spec]:
    """The network of a file that `save_checkpoint` wrote, found by `find_checkpoint`.

    Args:
        path: The file, or the `.pth` name beside it.
        kind: Configuration of the kind of network that is wanted.
        stated: What the caller says of the configuration; each must be what the file says.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind, what is stated is wrong, or the weights do not
            fit the configuration.
    """
    path = find_checkpoint(path)
    if path.suffix in FOREIGN:
        raise CheckpointError(
            f"{path.name!r} is not of this package, which writes {SUFFIX}; its weights can begin a training."
        )
    try:
        with safe_open(path, framework="pt") as file:
            spec, about = _read_metadata(path, file.metadata() or {}, kind)
            _check_stated(path, spec, stated)
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            _check_names(path, spec, shapes)
            network = spec.network()
            network.load_state_dict({name: file.get_tensor(name) for name in shapes})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name!r} is damaged or holds no weights: {error}. Copy or train it again."
        ) from error
    return Loaded(network.eval(), spec, about)


def load_reference(path: Path, spec: GraderSpec) -> HTNet:
    """The network of one photo with weights of the published implementation, from a `.pth` or `.pt` file.

    The file may hold the weights alone or under `model_state_dict`. It does not hold its configuration, so `spec` says
    it; the published network has neither module.

    Raises:
        CheckpointError: the file is missing, damaged, holds more than weights, or does not fit `spec`.
        UsageError: the values of `spec` do not fit each other.
    """
    return HTNet.from_reference(_read_foreign(path), **spec.trunk_arguments())


def _read_metadata(path: Path, metadata: Mapping[str, str], kind: type[Spec]) -> tuple[Spec, Mapping[str, Any]]:
    wanted, found = kind.SCHEMA, metadata.get("schema")
    if found != wanted:
        raise CheckpointError(
            f"{path.name!r} holds weights, but not of this package's {_whose(wanted)}: its schema is "
            f"{found or 'missing'}, expected {wanted}. Give a file that `facialpalsy train {_whose(wanted)}` wrote."
        )
    try:
        spec, about = json.loads(metadata["spec"]), json.loads(metadata["about"])
        return kind.from_dict({**spec}), {**about}
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"The configuration in {path.name!r} cannot be read: {error}. Train it again.") from error


def _whose(schema: str) -> str:
    return schema.removeprefix(_OURS).partition("/")[0]


def _check_stated(path: Path, spec: NetworkSpec, stated: Mapping[str, Any]) -> None:
    told = spec.from_dict({**spec.to_dict(), **stated}).to_dict()
    wrong = [f"{name} {told[name]} (it has {value})" for name, value in spec.to_dict().items() if told[name] != value]
    if wrong:
        raise CheckpointError(
            f"{path.name!r} was trained with another configuration than was given: {', '.join(wrong)}. Leave these "
            "out; the file says them itself."
        )


def _check_names(path: Path, spec: NetworkSpec, found: Mapping[str, tuple[int, ...]]) -> None:
    # On the meta device nothing is allocated, whatever size the file asks for.
    try:
        with torch.device("meta"):
            wanted = shapes_of(spec.network().state_dict())
    except UsageError as error:
        raise CheckpointError(f"The configuration in {path.name!r} is none: {error}") from error
    if differing := differences(wanted, found):
        raise CheckpointError(
            f"The weights in {path.name!r} do not fit its configuration: they {differing}. Train it again."
        )


def _read_foreign(path: Path) -> dict[str, Tensor]:
    again = "Give a state dictionary of the published HTNet, alone or under 'model_state_dict'."
    state = read_foreign(path, again)
    if isinstance(state, dict) and "model_state_dict" in state:
        state = state["model_state_dict"]
    if not isinstance(state, dict) or not all(map(_is_weight, state, state.values())):
        raise CheckpointError(f"{path.name!r} holds no names with weights. {again}")
    return state


def _is_weight(name: object, value: object) -> bool:
    plain = isinstance(value, Tensor) and value.layout is torch.strided and value.is_floating_point()
    return isinstance(name, str) and plain
