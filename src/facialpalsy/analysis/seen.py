"""Seen: what the shipped networks are given of an exam, and how they name sides.

They see the aligned crops of all usable captures whose expression is stated, turned back where they are mirrored. Left
and right of a network are those of the subject in a picture that is not mirrored; where the mirroring is not known, an
exam's sides are the halves of the image, and the network's left is the image's right half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facialpalsy.analysis.capture import Picture
from facialpalsy.analysis.exam import ExamResult
from facialpalsy.assessment import Engine as EngineModel
from facialpalsy.assessment import FaceMaps, LandmarkSet
from facialpalsy.clinical.expressions import Expression
from facialpalsy.face import Landmarks, Side, SideFrame, align
from facialpalsy.weights import ModelCard

Arrays = Mapping[str, NDArray[np.float32]]

_SHOWN_PX = 448  # side of the crops that maps are drawn on


@dataclass(frozen=True)
class Seen:
    """A capture that a network may see, and its place in the exam."""

    index: int
    expression: Expression
    landmarks: Landmarks
    picture: Picture

    def face(self, **maps: Any) -> FaceMaps:
        """The aligned face with what was found in it."""
        picture, landmarks = align(self.picture, self.landmarks, _SHOWN_PX)
        return FaceMaps(
            picture=picture,
            landmarks=LandmarkSet(
                scheme=landmarks.scheme.name,
                engine=landmarks.engine,
                image_size=landmarks.image_size,
                points=tuple((float(x), float(y)) for x, y in landmarks.points),
            ),
            **maps,
        )


def seen_captures(exam: ExamResult) -> list[Seen]:
    """The captures that networks are shown."""
    return [
        Seen(index, one.capture.expression, one.landmarks, one.picture)
        for index, one in enumerate(exam.captures)
        if one.capture.quality.usable and one.capture.expression is not None and one.picture is not None
    ]


def inputs_of(seen: Sequence[Seen], size: int) -> dict[str, NDArray[Any]]:
    """What every shipped network takes: photos of `size` and their expressions."""
    crops = np.stack([align(one.picture, one.landmarks, size)[0] for one in seen])
    order = list(Expression)
    return {
        "images": np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32) / 255,
        "expressions": np.array([order.index(one.expression) for one in seen], dtype=np.int64),
    }


def side_in(frame: SideFrame, side: Side) -> Side:
    """A network's side as the exam calls it."""
    return side if frame is SideFrame.SUBJECT else side.other


def provenance(card: ModelCard) -> EngineModel:
    """What the result says of a network that took part."""
    return EngineModel(**card.model_dump(include=set(EngineModel.model_fields)))
