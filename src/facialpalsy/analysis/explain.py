"""Explain: what a trained grader says of an exam's photos, with its maps; the one file of this room that needs torch.

The answer is the mean over every photo and its mirror image, as of the shipped network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facialpalsy.assessment import INSIDE
from facialpalsy.models.checkpoint import find_checkpoint, load_checkpoint
from facialpalsy.models.inference import FlipAveraged
from facialpalsy.models.registry import GraderSpec

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


class TrainedGrader:
    """A grader read from its file.

    Args:
        path: A `.safetensors` file, or the name of a `.pth` beside it.
        stated: What the caller says of its configuration; each must be what the file says.

    Attributes:
        path: The file.
        spec: Its configuration.
        about: What it says of its training.

    Raises:
        CheckpointError: the file is missing, damaged, or not of what is stated.
    """

    def __init__(self, path: Path, stated: Mapping[str, Any] = MappingProxyType({})) -> None:
        self.path = find_checkpoint(path)
        loaded = load_checkpoint(self.path, GraderSpec, stated)
        self.spec = loaded.spec
        self.about = loaded.about
        self._network = FlipAveraged(loaded.network).eval()

    def explain(self, images: Tensor, expressions: Tensor) -> Explained:
        """Ask of one exam.

        Args:
            images: (n, 3, size, size) uint8 aligned, un-mirrored crops in the network's size.
            expressions: (n,) places in `Expression`; its length where the expression is not known.
        """
        with torch.inference_mode():
            found = self._network(images.float() / 255, expressions)
        mask, asymmetry = _array(found.mask), _array(found.asymmetry)
        return Explained(
            _shares(found.grade),
            _shares(found.photo_grades),
            None if found.side is None else float(found.side[0]),
            _array(found.regions),
            None if mask is None else mask[:, 0],
            None if asymmetry is None else asymmetry[:, 0],
        )


def _array(maps: Tensor | None) -> Grid | None:
    return None if maps is None else maps.double().numpy()


def _shares(probabilities: Tensor) -> Grid:
    """Probabilities whose sum is 1 in double precision too."""
    found = probabilities.double()
    return (found / found.sum(-1, keepdim=True)).numpy()
