"""Explain: what a trained network says of an exam's photos, with its maps; the one file of this room that needs torch.

The answer is the mean over every photo and its mirror image, as of the shipped network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facialpalsy.assessment import INSIDE
from facialpalsy.models.checkpoint import Loaded, find_checkpoint, kind_of, load_checkpoint
from facialpalsy.models.exam_regions import FlipAveragedRegions
from facialpalsy.models.inference import FlipAveraged
from facialpalsy.models.registry import GraderSpec
from facialpalsy.models.spec import NetworkSpec
from facialpalsy.models.vit import UNCALIBRATED, FlipAveragedRecogniser, RecogniserSpec
from facialpalsy.models.vitau import RegionSpec

Grid = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explained:
    """What is said of n photos of one exam; grids have the side g.

    Attributes:
        grade: (6,) probabilities of the exam.
        photo_grades: (n, 6) probabilities of each photo alone.
        left: Probability that the subject's left is affected, given a palsy; None without micro-attention.
        regions: (n, regions, g, g) in 0..1; None without the region module.
        mask: (n, g, g) in 0..1, where the face is; None without the region module.
        asymmetry: (n, h, h) in 0..1, symmetric, of the finest level that compares sides: h is g, g / 2, ...; None
            without micro-attention.
    """

    grade: Grid
    photo_grades: Grid
    left: float | None
    regions: Grid | None
    mask: Grid | None
    asymmetry: Grid | None

    def scores(self) -> list[float] | None:
        """Mean of each photo's asymmetry map over the face; over all of it where no face is told, None without map."""
        if self.asymmetry is None:
            return None
        if self.mask is None:
            return [float(one.mean()) for one in self.asymmetry]
        count, side = self.asymmetry.shape[:2]
        face = self.mask.reshape(count, side, self.mask.shape[1] // side, side, -1).mean(axis=(2, 4)) >= INSIDE
        return [float((one[at] if at.any() else one).mean()) for one, at in zip(self.asymmetry, face, strict=True)]


class TrainedNetwork:
    """A network read from its file, asked as a shipped one is.

    Args:
        path: A `.safetensors` file, or the name of a `.pth` beside it.
        stated: What the caller says of its configuration; each must be what the file says.
        kind: grader, recogniser or regions; what the file says if None.

    Attributes:
        path: The file.
        kind: Which of them it is.
        spec: Its configuration.
        about: What it says of its training.
        network: What is asked, in evaluation mode: the mean over pictures and their mirror images.

    Raises:
        CheckpointError: the file is missing, damaged, of another kind, or not of what is stated.
    """

    def __init__(self, path: Path, stated: Mapping[str, Any] = MappingProxyType({}), kind: str | None = None) -> None:
        self.path = find_checkpoint(path)
        said = kind_of(self.path)
        # A file that says nothing known is read as a grader's, and refused with what is wrong with it.
        self.kind = kind or (said if said in _KINDS else None) or "grader"
        spec, averaged = _KINDS[self.kind]
        loaded = load_checkpoint(self.path, spec, stated)
        self.spec, self.about = loaded.spec, loaded.about
        self.network = averaged(loaded).eval()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Output name -> array of one exam, from `images` (n, 3, size, size) in 0..1 and `expressions` (n,)."""
        with torch.inference_mode():
            found = self.network(*(torch.from_numpy(inputs[name]) for name in ("images", "expressions")))
        return {name: value.numpy() for name, value in found._asdict().items() if value is not None}


def _averaged_regions(loaded: Loaded[RegionSpec]) -> nn.Module:
    order = range(loaded.spec.points)
    return FlipAveragedRegions(loaded.network, [one ^ 1 for one in order] if loaded.spec.sides == 2 else list(order))


def _averaged_recogniser(loaded: Loaded[RecogniserSpec]) -> nn.Module:
    decision = loaded.about.get("validation", {}).get("decision", {})
    lines = (decision.get(name, UNCALIBRATED) for name in ("picture", "points"))
    return FlipAveragedRecogniser(loaded.network, *lines)


_KINDS: Mapping[str, tuple[type[NetworkSpec], Callable[[Loaded[Any]], nn.Module]]] = MappingProxyType(
    {
        "grader": (GraderSpec, lambda loaded: FlipAveraged(loaded.network)),
        "recogniser": (RecogniserSpec, _averaged_recogniser),
        "regions": (RegionSpec, _averaged_regions),
    }
)


class TrainedGrader(TrainedNetwork):
    """A grader read from its file; arguments and errors are those of `TrainedNetwork`."""

    spec: GraderSpec

    def __init__(self, path: Path, stated: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(path, stated, "grader")

    def explain(self, images: Tensor, expressions: Tensor) -> Explained:
        """Ask of one exam.

        Args:
            images: (n, 3, size, size) uint8 aligned, un-mirrored crops in the network's size.
            expressions: (n,) places in `Expression`; its length where the expression is not known.
        """
        given = self.run({"images": images.numpy().astype(np.float32) / 255, "expressions": expressions.numpy()})
        found = {name: value.astype(np.float64) for name, value in given.items()}
        side, mask, asymmetry = (found.get(name) for name in ("side", "mask", "asymmetry"))
        return Explained(
            shares(found["grade"]),
            shares(found["photo_grades"]),
            None if side is None else float(side[0]),
            found.get("regions"),
            None if mask is None else mask[:, 0],
            None if asymmetry is None else asymmetry[:, 0],
        )


def shares(probabilities: NDArray[Any]) -> Grid:
    """Probabilities whose sum is 1 in double precision too."""
    found = probabilities.astype(np.float64)
    return np.asarray(found / found.sum(-1, keepdims=True))
