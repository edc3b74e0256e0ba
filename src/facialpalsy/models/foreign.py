"""Foreign: weight files of others, read without running anything that they hold, and loaded to the last name."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from facialpalsy.errors import CheckpointError
from facialpalsy.models.weight_names import differences, shapes_of

# What torch raises for files that are damaged, made to do harm or something else.
_UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def read_foreign(path: Path, wanted: str) -> object:
    """What a `.pt` or `.pth` file holds: tensors and plain values, nothing else is read.

    Args:
        path: The file.
        wanted: Sentence that ends a refusal: what to give instead.

    Raises:
        CheckpointError: the file is missing, damaged, or holds more than weights.
    """
    if not path.is_file():
        raise CheckpointError(f"There are no weights {path.name!r}; check the path.")
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        # Without the words of torch, which advise to read it unsafely.
        raise CheckpointError(
            f"{path.name!r} is damaged or holds more than weights; nothing of it was run. {wanted}"
        ) from error
    return content


def is_state(content: object) -> bool:
    """Whether `content` is a dictionary of names with dense tensors, at least one."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(name, str) for name in content)
        and all(isinstance(value, Tensor) and value.layout is torch.strided for value in content.values())
    )


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], whose: str) -> None:
    """Fill `network`, made on the meta device, with copies of `state`, whose names and shapes must be all of its own.

    Args:
        network: Without memory yet; has it on the CPU afterwards.
        state: Weights by name.
        whose: What they should be, for a message.

    Raises:
        CheckpointError: names or shapes differ; they are listed.
    """
    if differing := differences(shapes_of(network.state_dict()), shapes_of(state)):
        raise CheckpointError(
            f"The weights are not of {whose}: they {differing}. Give a file of that architecture and size."
        )
    network.to_empty(device="cpu")
    network.load_state_dict(state)
