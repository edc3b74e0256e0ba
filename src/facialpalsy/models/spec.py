"""Spec: the configuration of a network from plain values, and its sizes by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, Self, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from facialpalsy.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from torch import nn

Spec = TypeVar("Spec")

# A bound above every sensible network keeps a foreign file from asking for one that fills the memory.
Count = Annotated[int, Field(ge=1, le=4096)]
Four = tuple[Count, Count, Count, Count]
"""Of the four stages of a residual network."""


class NetworkSpec(Protocol):
    """Configuration of a network of exams; it travels with the weights."""

    SCHEMA: ClassVar[str]

    @property
    def image_size(self) -> int:
        """Side of the pictures."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The configuration of a plain dictionary, as `to_dict` or JSON give it."""

    def to_dict(self) -> dict[str, Any]:
        """The configuration as a plain dictionary that JSON can hold."""

    def network(self) -> nn.Module:
        """The network with random weights."""


def read_spec(kind: type[Spec], values: Mapping[str, Any], whose: str) -> Spec:
    """The configuration of a plain dictionary, as `to_dict` or JSON give it.

    Args:
        kind: Dataclass of the configuration.
        values: Setting -> value.
        whose: "grader" or the like, for a message.

    Raises:
        UsageError: a name is unknown, or a value is of the wrong kind.
    """
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise UsageError(f"The {whose} has no setting {name!r}. {did_you_mean(name, known)}")
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise UsageError(f"The {whose}'s {place} is {wrong['input']!r}: {wrong['msg'].lower()}") from error


def plain_values(spec: DataclassInstance) -> dict[str, Any]:
    """The configuration as a plain dictionary that JSON can hold."""
    found: dict[str, Any] = _plain(asdict(spec))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def preset_named(presets: Mapping[str, Spec], name: str, what: str = "preset") -> Spec:
    """The preset (or whatever it is) of that name; else a UsageError suggests the closest."""
    if name not in presets:
        raise UsageError(f"Unknown {what} {name!r}. {did_you_mean(name, presets)}")
    return presets[name]
