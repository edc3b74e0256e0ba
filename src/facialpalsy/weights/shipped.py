"""Shipped: networks that come with the package, `<name>.onnx` beside its card `<name>.json`, run without torch.

A network counts only if its SHA-256 is the one of its card, which is checked once per process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.errors import AssetHashError, AssetNotInstalledError
from facialpalsy.weights.model_card import ModelCard

GRADER = "grader"
"""The network that grades an exam by House-Brackmann."""

RECOGNISER = "recogniser"
"""The network that says whether an exam shows a palsy."""

REGIONS = "regions"
"""The network that says which action units are palsied on which side."""

POINTS = "points"
"""Output of the recogniser that the region network takes, so that points of a face are found once."""

FACE_FINDER = "face_finder"
"""The network that says where in a picture faces are."""

LANDMARKER = "landmarker"
"""The network that finds the points of a face."""

EYE_LANDMARKER, MOUTH_LANDMARKER = "eye_landmarker", "mouth_landmarker"
"""The networks that find the points of an eye with its brow, and of half of nose and mouth, at a finer scale."""

OF_EXAMS = (GRADER, RECOGNISER, REGIONS)
"""Networks that are asked of exams."""

SHIPPED = (*OF_EXAMS, FACE_FINDER, LANDMARKER, EYE_LANDMARKER, MOUTH_LANDMARKER)
"""Names of all networks that the package may hold."""


@dataclass(frozen=True)
class ShippedModel:
    """An opened network.

    Attributes:
        card: What it is.
        session: Its `onnxruntime.InferenceSession`.
    """

    card: ModelCard
    session: Any

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Output name -> array, for the inputs that the card names; the recogniser finds the points where they lack.

        Raises:
            AssetNotInstalledError, AssetHashError: the recogniser is asked for them and cannot be.
        """
        if POINTS in self.card.inputs and POINTS not in inputs:
            inputs = {**inputs, POINTS: open_model(RECOGNISER).run(inputs)[POINTS]}
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, dict(inputs)), strict=True))


def find_card(name: str) -> ModelCard:
    """The card of the network `name`, whose file is there and is the one that the card means.

    Raises:
        AssetNotInstalledError: card or network are not there.
        AssetHashError: the card cannot be read, or the network is damaged or another one.
    """
    return _card(folder(), name)


def open_model(name: str, threads: int = 0) -> ShippedModel:
    """The network `name`, opened once per process on the CPU.

    Args:
        name: One of `SHIPPED`.
        threads: That it computes with; 0 for as many as there are cores.

    Raises:
        AssetNotInstalledError: card or network are not there.
        AssetHashError: the card cannot be read, or the network is damaged or another one.
    """
    return _opened(folder(), name, threads)


def folder() -> Path:
    """Where the networks lie: beside this code."""
    return Path(str(resources.files("facialpalsy.weights")))


@cache
def _card(folder: Path, name: str) -> ModelCard:
    again = "Install facialpalsy again."
    path = folder / f"{name}.json"
    if not path.is_file():
        raise AssetNotInstalledError(f"The network {name!r} does not come with this copy of facialpalsy. {again}")
    try:
        card = ModelCard.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AssetHashError(f"The card {path.name!r} of the network {name!r} cannot be read. {again}") from error
    network = folder / card.file
    if not network.is_file():
        raise AssetNotInstalledError(f"The network {name!r} has a card, but its file {card.file!r} is gone. {again}")
    sha256 = hashlib.sha256(network.read_bytes()).hexdigest()
    if sha256 != card.sha256:
        raise AssetHashError(
            f"The network {card.file!r} is damaged or another file: its sha256 is {sha256}, expected {card.sha256}. "
            f"{again}"
        )
    return card


@cache
def _opened(folder: Path, name: str, threads: int) -> ShippedModel:
    # Imported here: most commands need no network.
    import onnxruntime

    card = _card(folder, name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors alone: its warnings are of no use to who measures a photo
    # Several networks are asked in turn, and threads that spin for the next run of one take the cores of the others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The bytes, not the path, which the native code reads in an encoding of its own.
    data = (folder / card.file).read_bytes()
    return ShippedModel(card, onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]))
