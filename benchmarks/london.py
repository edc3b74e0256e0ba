"""London: photos of real healthy people (Face Research Lab London Set, CC BY 4.0), and who of them may be learnt from.

The networks that learn from real faces see half of the people, and are measured on the other half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from facialpalsy.clinical.expressions import Expression
from facialpalsy.detect import Detector
from facialpalsy.face import DENSE, Landmarks, face_frame
from facialpalsy.face.alignment import FaceFrame, Picture, cut_out
from facialpalsy.models.landmarker import Landmarker
from facialpalsy.training.landmarks import ORDER

HELD_OUT = 4
"""People whose number this divides are not learnt from."""

_FOLDERS = (("neutral_front", Expression.REST), ("smiling_front", Expression.SMILE_OPEN))
_ORDER = list(ORDER)


def photos(*, held_out: bool) -> Iterator[tuple[str, Expression, Path]]:
    """Person, expression and file of every photo of one half of the people."""
    root = Path(os.environ["FACIALPALSY_ASSETS"]) / "london"
    for folder, expression in _FOLDERS:
        for path in sorted((root / folder).glob("[0-9]*.jpg")):
            if is_held_out(person_of(path)) == held_out:
                yield person_of(path), expression, path


def person_of(path: Path) -> str:
    """Number of the person whom a photo shows."""
    return path.stem.split("_")[0]


def is_held_out(person: str) -> bool:
    """Whether a person is not learnt from."""
    return int(person) % HELD_OUT == 0


def placed(
    landmarker: Landmarker, detector: Detector, picture: Picture, size: int, random: np.random.Generator
) -> Landmarks:
    """The points that a landmarker finds, cut out by its own eyes, as the mean over several crops."""
    frame = face_frame(detector.detect(picture).landmarks)
    for views in (1, 1, 8):
        frames = [frame] if views == 1 else [jittered(frame, random) for _ in range(views)]
        points = np.mean([points_in(landmarker, picture, one, size) for one in frames], axis=0)
        found = Landmarks(DENSE, points, (picture.shape[1], picture.shape[0]))
        frame = face_frame(found)
    return found


def jittered(frame: FaceFrame, random: np.random.Generator) -> FaceFrame:
    """The face as it would be cut out by eyes that are found a little beside."""
    turn, zoom = random.normal() * 0.03, 1 + random.normal() * 0.03
    u = np.cos(turn) * frame.u + np.sin(turn) * frame.n
    origin = frame.origin + random.normal(size=2) * 0.02 * frame.iod
    return replace(frame, origin=origin, u=u, n=np.array([-u[1], u[0]]), iod=zoom * frame.iod)


@torch.inference_mode()
def points_in(landmarker: Landmarker, picture: Picture, frame: FaceFrame, size: int) -> NDArray[np.float64]:
    """(DENSE, 2) pixels of the picture, found in what is cut out about the frame."""
    crop, matrix = cut_out(Image.fromarray(picture), frame, size)
    points = np.empty((DENSE.size, 2))
    points[_ORDER] = landmarker(torch.from_numpy(crop.copy()).permute(2, 0, 1)[None] / 255)[0].numpy()
    return np.asarray((points * size - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)
