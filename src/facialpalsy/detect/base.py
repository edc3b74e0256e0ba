"""Base: what every face detector gives, whichever engine is behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facialpalsy.face import Landmarks

RECOVERY_REGIONS = (
    "brow",
    "lid",
    "corner",
    "ala",
    "corner_out",
    "corner_in",
    "upper_lip",
    "lower_lip",
    "fold",
    "philtrum",
)
"""Regions whose recovery slope an engine is measured for."""


@dataclass(frozen=True)
class Engine:
    """Identity of a landmark engine, written with every result it gives.

    Attributes:
        name: Short name, also the key of healthy limits measured with it.
        version: Version of the software around the network.
        sha256: Hash of the landmark network, or of the file that holds it.
        licence: Licence of that network.
        trained_on: What it was trained on, as its makers say.
        recovery: Region -> share of a known one-sided displacement that the engine reports (1.0 is unbiased).
    """

    name: str
    version: str
    sha256: str
    licence: str
    trained_on: str
    recovery: Mapping[str, float] = field(default_factory=dict)


def read_card(file: str) -> Engine:
    """The engine whose card lies beside the adapters."""
    return Engine(**json.loads(resources.files("facialpalsy.detect").joinpath(file).read_text("utf-8")))


@dataclass(frozen=True)
class Detection:
    """The face that was chosen in one picture.

    Attributes:
        landmarks: Its points.
        box: x0, y0, x1, y1 in pixels, the extent of the points.
        faces: How many faces were found.
        warnings: Whole sentences about the choice.
        overlapped: Whether another face lies over it, or it over another.
    """

    landmarks: Landmarks
    box: tuple[float, float, float, float]
    faces: int = 1
    warnings: tuple[str, ...] = ()
    overlapped: bool = False


class Tracker(Protocol):
    """Follows one face through the frames of one clip."""

    def update(self, picture: NDArray[np.uint8]) -> Landmarks | None:
        """Landmarks of the next frame, or None where no face was found."""
        ...


class Detector(Protocol):
    """Finds one face in an RGB picture (h, w, 3) uint8 and places its landmarks."""

    engine: Engine

    def detect(self, picture: NDArray[np.uint8]) -> Detection:
        """Find the largest face.

        Raises:
            NoFaceError: there is none.
        """
        ...

    def tracker(self) -> Tracker:
        """A fresh tracker for one clip."""
        ...
